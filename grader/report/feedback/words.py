"""What the student's page says, in both languages; ``{names}`` are filled in where it is said."""

from __future__ import annotations

from grader.language.bilingual import both
from grader.results.result import Outcome

# English calls it a mark out of 20 too: that is what it is.
OF = both("marked work of {name}", "copie corrigée de {name}")
YOUR_MARK = both("Your mark", "Votre note")
PROVISIONAL = both("provisional", "provisoire")
NOTHING_GRADED = both("nothing could be graded", "rien n’a pu être noté")
HANDED_IN = both("handed in {time}", "remis le {time}")
POINTS_OF = both("{score} of {max} points", "{score} sur {max} points")
PART = both("part", "partie")
PARTS = both("Points by part", "Points par partie")
POINTS = both("points", "points")
OTHER_CHECKS = both("other checks", "autres vérifications")
PENALTY = both("taken for lateness", "retirés pour le retard")
ALL = both("all", "total")
LATE = both(
    "Handed in {late} after the deadline, which costs {penalty} pt.",
    "Remis {late} après l’échéance, ce qui coûte {penalty} pt.",
)
LATE_FREE = both(
    "Handed in {late} after the deadline; nothing was taken for it.",
    "Remis {late} après l’échéance ; rien n’a été retiré pour cela.",
)
WAITING = both(
    "Your teacher has yet to decide on {questions}. Until then these questions count neither for you nor "
    "against you, and your mark may still change.",
    "Votre enseignant doit encore juger {questions}. D’ici là, ces questions ne comptent ni pour vous ni "
    "contre vous, et votre note peut encore changer.",
)
BROKEN = both(
    "Something of ours broke at {questions}. That is not your fault and costs you nothing: it will be "
    "graded again.",
    "Quelque chose chez nous a échoué à {questions}. Ce n’est pas votre faute et cela ne vous coûte "
    "rien : ce sera corrigé à nouveau.",
)
SKIPPED = both(
    "Your machine, or ours, could not do what {questions} asks for. That costs you nothing: the mark is "
    "out of the other points.",
    "Votre machine, ou la nôtre, ne permet pas ce que demande {questions}. Cela ne vous coûte rien : la "
    "note porte sur les autres points.",
)
UNVERIFIED = both(
    "We could not verify everything that came with your work: {why}. This can have many harmless "
    "reasons, and nothing was taken for it. Your teacher may ask you how you went about it.",
    "Nous n’avons pas pu vérifier tout ce qui accompagnait votre travail : {why}. Cela peut avoir bien "
    "des raisons anodines, et rien n’a été retiré pour cela. Votre enseignant vous demandera peut-être "
    "comment vous avez procédé.",
)
UNREAD = both(
    "Your answers could not be read: {why}. Tell your teacher: they can take your work in again.",
    "Vos réponses n’ont pas pu être lues : {why}. Parlez-en à votre enseignant : il peut reprendre votre "
    "travail.",
)
UNSIGNED = both(
    "Your work was not signed, as `tdlab submit` does it: we could not verify that it is as you left it. "
    "Nothing was taken for that.",
    "Votre travail n’était pas signé, comme le fait `tdlab submit` : nous n’avons pas pu vérifier qu’il "
    "est tel que vous l’avez laissé. Rien n’a été retiré pour cela.",
)
OUTCOMES = {
    Outcome.PASS: both("right", "juste"),
    Outcome.PARTIAL: both("partly right", "juste en partie"),
    Outcome.FAIL: both("not right", "pas juste"),
    Outcome.INCONCLUSIVE: both("your teacher decides", "votre enseignant décidera"),
    Outcome.ERROR: both("our fault, costs nothing", "notre faute, ne coûte rien"),
    Outcome.SKIPPED: both("not gradable here, costs nothing", "non notable ici, ne coûte rien"),
}
YOUR_ANSWER = both("your answer", "votre réponse")
NO_ANSWER = both("none", "aucune")
RIGHT_ANSWER = both("a right answer holds", "une réponse juste contient")
HINT = both("hint", "indice")
WHY = both("why", "pourquoi")
COMMENT = both("your teacher says", "votre enseignant dit")
CHOSEN = both("your choice", "votre choix")
NOT_COUNTED = both("not counted", "non compté")
FOOT = both(
    "An error of ours, or what a machine cannot do, never costs a point. If something here looks wrong "
    "to you, tell your teacher: the work can be graded again from what you handed in.",
    "Une erreur de notre part, ou ce qu’une machine ne permet pas, ne coûte jamais de point. Si quelque "
    "chose vous paraît faux, dites-le à votre enseignant : le travail peut être corrigé à nouveau à "
    "partir de ce que vous avez remis.",
)
DAYS = both("{days} d {hours} h", "{days} j {hours} h")
