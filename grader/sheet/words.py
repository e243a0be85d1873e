"""What a sheet says beside its author's text, in both languages."""

from __future__ import annotations

from grader.language.bilingual import both

NOT_OWN = both(
    "The letters of the options are the author's. In your workspace, `tdlab sheet` shows your own.",
    "Les lettres des choix sont celles de l’auteur. Dans votre espace de travail, `tdlab sheet` montre "
    "les vôtres.",
)
OF = both("letters of {student}", "lettres de {student}")
CONTENTS = both("Contents", "Sommaire")
ANSWER = both("Answer", "Réponse")
OPTIONS = both("Options", "Choix")
