"""What checks say to students, in both languages; ``{names}`` are filled in by the check."""

from __future__ import annotations

from grader.language.bilingual import Bilingual


def _both(en: str, fr: str) -> Bilingual:
    return Bilingual(fr=fr, en=en)


NO_ANSWER = _both("no answer given", "aucune réponse donnée")
ANSWERS_BROKEN = _both(
    "your answers could not be read: {problem}", "vos réponses n'ont pas pu être lues : {problem}"
)
ONE_OF = _both("answer with one of: {options}", "répondez par un seul de : {options}")
SOME_OF = _both("answer with a list of some of: {options}", "répondez par une liste prise dans : {options}")
NOT_TICKED = _both("{count} right option(s) not ticked", "{count} bonne(s) option(s) non cochée(s)")
NOT_A_NUMBER = _both(
    "write a number, with its unit if you like: 2.4 {unit}",
    "écrivez un nombre, avec son unité si vous voulez : 2,4 {unit}",
)
WRONG_UNIT = _both(
    "the unit {given} does not fit: {unit} is asked for",
    "l'unité {given} ne convient pas : on demande {unit}",
)
INVERTED = _both(
    "that is one divided by the right number: you divided the other way round",
    "c'est l'inverse du bon nombre : vous avez divisé dans l'autre sens",
)
MEASURE_FIRST = _both(
    "{cause}. Measure with: tdlab bench labs/{lab}/matrix.yaml --out evidence, "
    "and hand in the folder evidence/ with your answers.",
    "{cause}. Mesurez par : tdlab bench labs/{lab}/matrix.yaml --out evidence, "
    "et rendez le dossier evidence/ avec vos réponses.",
)
HOST_CANNOT = _both("not gradable on this host: {cause}", "non notable sur cette machine : {cause}")
UNVERIFIED = _both("unverified, left to the teacher: {cause}", "non vérifié, laissé à l'enseignant : {cause}")
UNREADABLE = _both(
    "the measures could not be read, left to the teacher: {cause}",
    "les mesures n'ont pas pu être lues, laissé à l'enseignant : {cause}",
)
COUNTER_LOST = _both(
    "the measuring broke, no point is lost: {cause}", "la mesure a échoué, aucun point n'est perdu : {cause}"
)
A_TEXT = _both("answer with one or two sentences", "répondez par une ou deux phrases")
QUESTION_COPIED = _both(
    "that is the question again: answer in your own words",
    "c'est la question elle-même : répondez avec vos propres mots",
)
FOR_REVIEW = _both("left to the teacher: {why}", "laissé à l'enseignant : {why}")
WHY_HEDGED = _both("right and wrong ideas stand side by side", "idées justes et fausses se côtoient")
WHY_BOTH_WAYS = _both("it is said both ways at once", "les deux sens sont laissés ouverts")
WHY_NEGATED = _both("a negation could turn the meaning round", "une négation peut renverser le sens")
WHY_SOME = _both(
    "found {found} of {all} ideas; the others may be said in other words",
    "{found} idée(s) trouvée(s) sur {all} ; les autres sont peut-être dites autrement",
)
WHY_LONG = _both("longer than a short answer", "plus long qu'une réponse courte")
WHY_OFF_TOPIC = _both("no word of it is about what is asked", "rien n'y touche à ce qui est demandé")
WHY_ALL = _both("all ideas are there, and no wrong one", "toutes les idées y sont, et aucune fausse")
WHY_PART = _both(
    "found {found} of {all} ideas, and nothing more is said",
    "{found} idée(s) trouvée(s) sur {all}, et rien d'autre n'est dit",
)
WHY_WRONG = _both("a wrong idea, and no right one", "une idée fausse, et aucune juste")
WHY_DENIED = _both("what is right is denied", "ce qui est juste est nié")
IS_MISSING = _both("Missing: {ideas}.", "Il manque : {ideas}.")
MARKED_ALONE = _both("{points} of {max} points, marked alone", "{points} point(s) sur {max}, noté seul")
MARKED_BY_TEACHER = _both(
    "left to the teacher ({points} of {max} points by what was found)",
    "laissé à l'enseignant ({points} point(s) sur {max} d'après ce qui est trouvé)",
)
SEEN_IN = _both("{id}, seen in: {words}", "{id}, vu dans : {words}")
SEEN_DENIED = _both("{id}, denied in: {words}", "{id}, nié dans : {words}")
SEEN_WRONG = _both("wrong idea {id}, seen in: {words}", "idée fausse {id}, vue dans : {words}")
NOT_SEEN = _both("{id}, not seen", "{id}, non vu")
FILE_MISSING = _both("{file} was not handed in", "{file} n'a pas été rendu")
NO_NIC = _both("the domain has no network interface", "le domaine n'a pas d'interface réseau")
EMULATED_NIC = _both(
    "line {line}: the interface's model is {model}, {wanted} is asked for",
    "ligne {line} : le modèle de l'interface est {model}, on demande {wanted}",
)
NO_MODEL = _both(
    "line {line}: the interface names no model, and libvirt then chooses one for you",
    "ligne {line} : l'interface ne nomme aucun modèle, et libvirt en choisit un à votre place",
)
VHOST_LEFT_OUT = _both(
    "line {line}: nothing says whether vhost is used, and libvirt then decides in silence; "
    "write <driver name='{name}'/>",
    "ligne {line} : rien ne dit si vhost est utilisé, et libvirt décide alors en silence ; "
    "écrivez <driver name='{name}'/>",
)
VHOST_WRONG = _both(
    "line {line}: vhost is {given}, {wanted} is asked for; write <driver name='{name}'/>",
    "ligne {line} : vhost est {given}, on demande {wanted} ; écrivez <driver name='{name}'/>",
)
AN_ORDER = _both(
    "answer with a list that holds each of these once: {items}",
    "répondez par une liste qui contient une fois chacun : {items}",
)
NOT_COMMITTED = _both(
    "not committed before measuring: commit it with tdlab predict, then measure",
    "non engagée avant la mesure : engagez-la par tdlab predict, puis mesurez",
)
COMMITTED_OTHER = _both(
    "the prediction committed before measuring was another one",
    "la prédiction engagée avant la mesure était une autre",
)
COMMITTED_LATE = _both(
    "committed at {time}, after the measure had begun ({started})",
    "engagée à {time}, après le début de la mesure ({started})",
)
ANY_PREDICTION = _both(
    "any prediction made before measuring", "n'importe quelle prédiction faite avant de mesurer"
)
PREDICTED = _both("predicted {value}, measured {measured}", "prédit {value}, mesuré {measured}")
