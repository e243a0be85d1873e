"""What is said of many hosts, in both languages."""

from __future__ import annotations

from grader.language.bilingual import both

STATES = {
    "measured": both("measured", "mesurée"),
    "partly": both("measured in part", "mesurée en partie"),
    "failed": both("NOT measured", "PAS mesurée"),
    "interrupted": both("interrupted", "interrompue"),
}
VERDICTS = {
    "reference": both("reference", "référence"),
    "slower": both("slower", "plus lente"),
    "faster": both("faster", "plus rapide"),
    "mixed": both("slower and faster", "plus lente et plus rapide"),
    "same": both("no difference shown", "aucune différence montrée"),
    "unknown": both("cannot be told", "on ne peut rien dire"),
    "apart": both("not compared", "non comparée"),
}
ASPECTS = {
    "throughput": both("throughput", "débit"),
    "rtt": both("round-trip time", "temps d'aller-retour"),
}
TITLE = both("Hosts of {group}", "Machines de {group}")
COUNTS = both(
    "{hosts} {hosts:host|hosts}, {measured} measured; {how}",
    "{hosts} {hosts:machine|machines}, {measured} {measured:mesurée|mesurées} ; {how}",
)
IN_TURN = both("in turn", "l'une après l'autre")
SIDE_BY_SIDE = both("at most {count} side by side", "au plus {count} à la fois")
SLOWER = both(
    "{host} is slower than {reference}: {parts}.", "{host} est plus lente que {reference} : {parts}."
)
FASTER = both(
    "{host} is faster than {reference}: {parts}.", "{host} est plus rapide que {reference} : {parts}."
)
MIXED = both(
    "{host} is slower than {reference} in one and faster in another: {parts}.",
    "{host} est plus lente que {reference} en un point, plus rapide en un autre : {parts}.",
)
PART = both("{aspect} × {ratio} ({low} to {high})", "{aspect} × {ratio} ({low} à {high})")
NOBODY = both(
    "No host was measured, so there is nothing to compare.",
    "Aucune machine n'a été mesurée : rien à comparer.",
)
ALONE = both(
    "Only {host} was measured, so there is nothing to compare.",
    "Seule {host} a été mesurée : rien à comparer.",
)
INSTEAD = both(
    "{against} was not measured: the others are compared with {reference}, the middle one.",
    "{against} n'a pas été mesurée : les autres sont comparées à {reference}, celle du milieu.",
)
NO_CELL = both(
    "{host} and {reference} have measured no cell in common: nothing to compare.",
    "{host} et {reference} n'ont mesuré aucune cellule en commun : rien à comparer.",
)
ALIKE = both(
    "No host is shown to be slower or faster than {reference}; more rounds (--repeats) narrow the intervals.",
    "Aucune machine ne se montre plus lente ni plus rapide que {reference} ; plus de tours (--repeats) "
    "resserrent les intervalles.",
)
FEW = both(
    "With fewer than three rounds there is no interval, and no host is called slower: --repeats 5.",
    "Moins de trois tours : pas d'intervalle, et aucune machine n'est dite plus lente : --repeats 5.",
)
APART = both(
    "{host} is an emulator's machine: its times are never compared with hardware's.",
    "{host} est la machine d'un émulateur : ses temps ne se comparent pas à ceux du matériel.",
)
DIFFERS = both("what differs, each only a candidate:", "ce qui diffère, à titre de piste seulement :")
NOTHING_DIFFERS = both(
    "nothing that was read differs; look at cooling, power supply and what else runs there",
    "rien de ce qui a été lu ne diffère ; voyez le refroidissement, l'alimentation, ce qui y tourne",
)
FACT = both("{fact}: {here} ({reference}: {there})", "{fact} : {here} ({reference} : {there})")
OTHERS = both("so on {hosts}, too", "de même sur {hosts}")
AGAINST = both(
    "less likely, for {hosts} {count:has|have} it and {count:is|are} not so",
    "moins probable, car {hosts} {count:l'a|l'ont} aussi sans être ainsi",
)
FOR_HOST = both("{host}: {said}", "{host} : {said}")
AND_MORE = both("and {count} more: they are on the page", "et {count} de plus : voyez la page")
PAIR = both("{one}; {other}", "{one} ; {other}")
NOT_SHOWN = both("not shown", "non indiqué")
HOST = both("host", "machine")
RAN = both("ran", "sous")
VERDICT = both("verdict", "verdict")
MEND = both("→ {remedy}", "→ {remedy}")
GO_ON = both(
    "go on with what is missing: tdlab bench --resume {folder}",
    "pour ce qui manque : tdlab bench --resume {folder}",
)
NOT_MEASURED = both("{host}: {state}: {cause}", "{host} : {state} : {cause}")
HOW = both(
    "× is how many times the value of {reference}; in brackets, the interval for all comparisons together "
    "at 95 %. A host is called slower or faster only where that interval leaves 1 out, and by 5 % or more.",
    "× est le rapport à la valeur de {reference} ; entre crochets, l'intervalle à 95 % pour toutes les "
    "comparaisons ensemble. Une machine n'est dite plus lente ou plus rapide que si cet intervalle exclut 1, "
    "et à partir de 5 %.",
)
