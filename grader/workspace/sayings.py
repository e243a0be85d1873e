"""What the student's commands say, in both languages; ``{names}`` are filled in where it is said."""

from __future__ import annotations

from grader.language.bilingual import Bilingual


def _both(en: str, fr: str) -> Bilingual:
    return Bilingual(fr=fr, en=en)


ANSWER_IT = _both("not answered yet", "pas encore de réponse")
STATES = {
    "open": _both("open", "à faire"),
    "noted": _both("noted", "notée"),
    "right": _both("right", "juste"),
    "partly": _both("partly right", "juste en partie"),
    "wrong": _both("not yet", "pas encore"),
    "waiting": _both("your teacher decides", "l'enseignant décidera"),
    "not-here": _both("not gradable here", "non notable ici"),
    "broken": _both("our fault", "de notre faute"),
}
CHECKED = _both(
    "{answered} of {all} questions answered; what is only noted is judged when your work is graded",
    "{answered} questions sur {all} ont une réponse ; ce qui est seulement noté sera jugé à la correction",
)
STARTED = _both("{title}: your workspace is {folder}", "{title} : votre espace de travail est {folder}")
FOUND = _both(
    "{title}: your workspace {folder} is already there; nothing of yours was changed",
    "{title} : votre espace {folder} existe déjà ; rien de vous n'a été changé",
)
NEXT_STEPS = _both(
    "read:    {folder}/answers.yaml\ncheck:   tdlab check {folder}\nhand in: tdlab submit {folder}",
    "lire :     {folder}/answers.yaml\nvérifier : tdlab check {folder}\nrendre :   tdlab submit {folder}",
)
HANDED_IN = _both(
    "{archive}\n{files} files, handed in as attempt {number}\nreceipt: {code}  (keep it)",
    "{archive}\n{files} fichiers, remise numéro {number}\nreçu : {code}  (gardez-le)",
)
STILL_OPEN = _both(
    "{count} questions have no answer yet; you can hand in again at any time",
    "{count} questions n'ont pas encore de réponse ; vous pouvez rendre à nouveau à tout moment",
)
ANSWERED = _both("{answered} of {all} questions answered", "{answered} questions sur {all} ont une réponse")
OPEN = _both("open: {questions}", "à faire : {questions}")
UNCOMMITTED = _both(
    "to be predicted before measuring: {questions}", "à prédire avant de mesurer : {questions}"
)
MEASURED = _both("your measures are in evidence/", "vos mesures sont dans evidence/")
UNMEASURED = _both("nothing is measured yet", "rien n'est encore mesuré")
NEVER_SUBMITTED = _both("not handed in yet", "pas encore rendu")
SUBMITTED = _both(
    "handed in {count} times, last {time}, receipt {code}",
    "rendu {count} fois, la dernière {time}, reçu {code}",
)
