"""What the page and the commands of the desk say, in both languages; ``{names}`` are filled in."""

from __future__ import annotations

from grader.language import Lang
from grader.language.bilingual import both
from grader.language.i18n import points
from grader.results.result import Outcome

REVIEW = both("Review", "Relecture")
TO_DECIDE = both("To decide", "À décider")
PROGRESS = both(
    "{decided} of {answers} answers decided ({students_decided} of {students} copies)",
    "réponses décidées : {decided} sur {answers} (copies : {students_decided} sur {students})",
)
QUESTION = both("Question {id}", "Question {id}")
POINT, POINTS = both("{points} point", "{points} point"), both("{points} points", "{points} points")
POINT_OF = both("{points} of {max} point", "{points} point sur {max}")
POINTS_OF = both("{points} of {max} points", "{points} points sur {max}")
NOT_MEASURED = both("Not measured:", "Non mesuré :")
GIVEN_BY = both("The answer of {count} students", "La réponse de {count} étudiants")
GIVEN_BY_ONE = both("The answer of one student", "La réponse d’un étudiant")
NO_ANSWER = both("(no text to show)", "(aucun texte à montrer)")
WHY = both("Why it waits", "Pourquoi elle attend")
DECIDED = both("Decided: {what}", "Décidé : {what}")
DECISION = both("Your decision", "Votre décision")
IDEAS = both("Ideas of a right answer", "Idées d’une réponse juste")
FOUND_IN = both("found in: {words}", "trouvée dans : {words}")
DENIED_IN = both("denied in: {words}", "niée dans : {words}")
NOT_FOUND = both("not found", "non trouvée")
WRONG_IDEAS = both("Wrong ideas found", "Idées fausses trouvées")
EXPECTED = both("What was expected", "Ce qui était attendu")
CHECK_SAW = both("What the check saw", "Ce que la vérification a vu")
FULL = both("Full: {points}", "Tout : {points}")
TICKED = both("What is ticked", "Ce qui est coché")
ZERO = both("Zero", "Zéro")
OTHER_POINTS = both("Other points", "Autres points")
GIVE_POINTS = both("Give them", "Les donner")
TAKE_BACK = both("Take the decision back", "Reprendre la décision")
COMMENT = both("Comment for the student", "Commentaire pour l’étudiant")
PREVIOUS = both("Previous", "Précédente")
NEXT = both("Next", "Suivante")
NEXT_OPEN = both("Next to decide", "Prochaine à décider")
UNDO = both("Undo", "Annuler")
OVERVIEW = both("Overview", "Vue d’ensemble")
HELP = both("Help", "Aide")
CLOSE = both("Close", "Fermer")
MEASURES = both("What the student measured", "Ce que l’étudiant a mesuré")
MEASURES_OF = both("What copy {number} measured", "Ce que la copie {number} a mesuré")
CELL = both("Cell", "Cellule")
NO_MEASURES = both("No measures were handed in.", "Aucune mesure n’a été rendue.")
KIN = both("Question {id}: {answer}", "Question {id} : {answer}")
UNVERIFIED = both("Not verified: {why}", "Non vérifié : {why}")
UNREADABLE = both("The measures cannot be read: {why}", "Les mesures sont illisibles : {why}")
SHOW_NAMES = both("Show names", "Montrer les noms")
HIDE_NAMES = both("Hide names", "Cacher les noms")
NAMES = both("Students", "Étudiants")
ANSWERS_LEFT = both("Answers left", "Réponses à décider")
COPIES_LEFT = both("Copies left", "Copies à décider")
NOTHING_WAITS = both("Nothing waits for you.", "Plus rien ne vous attend.")
START = both("Begin", "Commencer")
WRITE_MARKS = both("Write the marks now", "Écrire les notes maintenant")
MARKS_WRITTEN = both(
    "The marks follow your decisions now: {file}", "Les notes suivent maintenant vos décisions : {file}"
)
SAVED_AT_ONCE = both(
    "Each decision is saved at once. The marks are written when you end with Ctrl-C, or here.",
    "Chaque décision est enregistrée aussitôt. Les notes sont écrites à la fin (Ctrl-C), ou ici.",
)
SHORTCUTS = both("Keyboard shortcuts", "Raccourcis clavier")
SHORTCUTS_ON = both("Keys act without Ctrl or Alt", "Les touches agissent sans Ctrl ni Alt")
KEYS = (
    ("1 – 9", both("tick or untick an idea", "cocher ou décocher une idée")),
    (
        "g",
        both("give what is ticked", "donner ce qui est coché"),
    ),
    ("f", both("give full points", "donner tous les points")),
    ("0", both("give zero", "donner zéro")),
    ("p", both("write other points; Enter gives them", "écrire d’autres points ; Entrée les donne")),
    (
        "c",
        both(
            "write a comment; Ctrl-Enter gives, Esc leaves",
            "écrire un commentaire ; Ctrl-Entrée donne, Échap sort",
        ),
    ),
    ("j, →", both("next answer", "réponse suivante")),
    ("k, ←", both("previous answer", "réponse précédente")),
    ("n", both("next answer to decide", "prochaine réponse à décider")),
    ("u", both("undo the last decision", "annuler la dernière décision")),
    ("b", both("take this decision back", "reprendre cette décision")),
    ("s", both("show or hide names", "montrer ou cacher les noms")),
    ("o", both("overview", "vue d’ensemble")),
    ("?", both("this help", "cette aide")),
)
SAVED = both("Saved: {what}.", "Enregistré : {what}.")
TAKEN_BACK = both("Taken back: it waits again.", "Reprise : la réponse attend de nouveau.")
NOTHING_TO_UNDO = both("There is nothing to undo.", "Il n’y a rien à annuler.")
NOT_LET_IN = both(
    "This page opens with the address that tdlab review printed.",
    "Cette page s’ouvre par l’adresse que tdlab review a affichée.",
)
NOT_FOUND_PAGE = both("There is no such page.", "Cette page n’existe pas.")
NOT_OURS = both(
    "This form did not come from this page. Load the page again.",
    "Ce formulaire ne vient pas de cette page. Rechargez la page.",
)
NO_POINTS = both(
    "Write the points as a number from 0 to {max}.", "Écrivez les points par un nombre de 0 à {max}."
)
TOO_LONG = both(
    "A comment holds at most {most} characters.", "Un commentaire compte au plus {most} caractères."
)
OUR_FAULT = both("A fault of tdlab itself: {what}", "Une erreur de tdlab lui-même : {what}")
REFUSED = both("It could not be saved: {what}", "Cela n’a pas pu être enregistré : {what}")
BACK = both("Back", "Retour")
OPENING = both("Opening the review", "Ouverture de la relecture")

OPEN_HERE = both(
    "open in a browser on this machine:\n  {url}", "à ouvrir dans un navigateur de cette machine :\n  {url}"
)
END_BY = both("Ctrl-C ends", "Ctrl-C pour terminer")
ENDED = both(
    "{decided} of {answers} answers decided; marks: {file}",
    "réponses décidées : {decided} sur {answers} ; notes : {file}",
)

CAUSES = {
    "lab": both("the lab has changed ({before} → {after})", "le TD a changé ({before} → {after})"),
    "grader": both("tdlab has changed ({before} → {after})", "tdlab a changé ({before} → {after})"),
}
SAME_CAUSES = {
    "lab": both("the lab is the same ({after})", "le TD est le même ({after})"),
    "grader": both("tdlab is the same ({after})", "tdlab est le même ({after})"),
}
CHANGES = {
    "asked": both("it is new", "elle est nouvelle"),
    "dropped": both("it is asked no more", "elle n’est plus posée"),
    "text": both("its text", "son texte"),
    "rules": both("its rules", "ses règles"),
    "max": both("its points", "ses points"),
    "expected": both("what is expected", "ce qui est attendu"),
    "answer": both("how answers are read", "la lecture des réponses"),
}
QUESTION_CHANGED = both("question {id} has changed: {changes}", "la question {id} a changé : {changes}")
MOVED = both(
    "{moved} of {graded} {graded:student|students} moved",
    "{moved} {moved:étudiant|étudiants} sur {graded} {moved:a|ont} bougé",
)
CARRIED = both(
    "question {id}: {count} {count:result|results} kept that a guest gave (regrading boots none)",
    "question {id} : {count} {count:résultat gardé, donné|résultats gardés, donnés} par un invité "
    "(renoter n’en démarre aucun)",
)
DECISIONS_LOST = both(
    "{count} {count:decision holds|decisions hold} for no answer any more (`tdlab review`)",
    "{count} {count:décision ne vaut|décisions ne valent} plus pour aucune réponse (`tdlab review`)",
)
WITH_ERRORS = both(
    "{count} {count:student has|students have} questions that tdlab could not grade; that costs no point",
    "{count} {count:étudiant a|étudiants ont} des questions que tdlab n’a pas pu noter ; cela ne coûte rien",
)
DRY_RUN = both("nothing was written (--dry-run)", "rien n’a été écrit (--dry-run)")
LEDGER_CAUSES = {
    "graded": both("graded", "noté"),
    "regraded": both("graded again", "noté de nouveau"),
    "decided": both("decided by the teacher", "décidé par l’enseignant"),
}
PINNED = both("  lab {lab}, tdlab {grader}", "  TD {lab}, tdlab {grader}")
NOT_ASKED = both("not asked", "non posée")
OUTCOMES = {
    Outcome.PASS: both("right", "juste"),
    Outcome.PARTIAL: both("right in part", "juste en partie"),
    Outcome.FAIL: both("wrong", "faux"),
    Outcome.INCONCLUSIVE: both("waits", "en attente"),
    Outcome.ERROR: both("our fault", "notre faute"),
    Outcome.SKIPPED: both("not gradable", "non notable"),
}


def some_points(value: float, lang: Lang, most: float | None = None) -> str:
    """Say points as a language counts them: in English by the most there are, in French from two up."""
    whole = value if most is None or lang == "fr" else most
    is_one = value < 2 if lang == "fr" else whole == 1
    if most is None:
        return (POINT if is_one else POINTS).say(lang, points=points(value, lang))
    return (POINT_OF if is_one else POINTS_OF).say(lang, points=points(value, lang), max=points(most, lang))
