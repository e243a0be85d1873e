"""What is said while something is measured, and names that stand in lists."""

from __future__ import annotations

from grader.language.bilingual import both

CAUSES = (
    both(
        "making the guest image from {count} packages of {system}",
        "préparation de l'image des invités à partir de {count} paquets de {system}",
    ),
    both(
        "trying KVM: booting the tiny guest under it, for {seconds} s at most",
        "essai de KVM : un petit invité y démarre, en {seconds} s au plus",
    ),
    both(
        "guests run under TCG, software emulation: {cause}",
        "les invités tournent sous TCG, une émulation logicielle : {cause}",
    ),
    both("{cell}: skipped, {cause}", "{cell} : laissé de côté, {cause}"),
    both("{cell}: error, {cause}", "{cell} : erreur (pas la vôtre), {cause}"),
    both(
        "{cell}: exits were not counted by reason, {cause}",
        "{cell} : les sorties n'ont pas été comptées par cause, {cause}",
    ),
    both("{cell}: exits per MB by reason: {what}", "{cell} : sorties par Mo, par cause : {what}"),
    both(
        "{cell}: {how} in {seconds} s, driver {driver} in the guest",
        "{cell} : prêt en {seconds} s, pilote {driver} dans l'invité",
    ),
    both(
        "{cell}: {to} Mbit/s to the guest, {from} from it",
        "{cell} : {to} Mbit/s vers l'invité, {from} depuis l'invité",
    ),
    both("{guest}: ready in {seconds} s under {which}", "{guest} : prêt en {seconds} s sous {which}"),
    both("could not clean up: {cause}", "le nettoyage a échoué : {cause}"),
    both(
        "removed {kind} {name}, left by a run that was killed",
        "retiré : {kind} {name}, laissé par une mesure interrompue",
    ),
    both(
        "put back: {name}, changed by a run that was killed",
        "remis en état : {name}, changé par une mesure interrompue",
    ),
    both("no cause was recorded", "aucune cause n'a été notée"),
    both("the run does not say why", "la mesure ne dit pas pourquoi"),
)
