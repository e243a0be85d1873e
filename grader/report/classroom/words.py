"""What the class report says, in both languages; ``{names}`` are filled in where it is said."""

from __future__ import annotations

from grader.language.bilingual import both

TITLE = both("The class", "La classe")
ABOUT = both(
    "{count} {count:student|students}, marks out of 20", "{count} {count:étudiant|étudiants}, notes sur 20"
)
STUDENTS = both("students", "étudiants")
STUDENT = both("student", "étudiant")
MARK = both("mark", "note")
MEAN = both("mean", "moyenne")
MEDIAN = both("median", "médiane")
DEVIATION = both("standard deviation", "écart-type")
UNFINISHED = both("with something open", "avec une question ouverte")
LATE = both("late", "en retard")
UNVERIFIED = both("unverified", "non vérifiés")
DISTRIBUTION = both("Marks", "Notes")
DISTRIBUTION_OF = both(
    "How many students have each mark, in steps of one point; the line is the median.",
    "Combien d’étudiants ont chaque note, par pas d’un point ; le trait est la médiane.",
)
FROM_TO = both("{low} to {high}: {count}", "de {low} à {high} : {count}")
NO_MARKS = both("Nothing could be graded yet.", "Rien n’a encore pu être noté.")
PROVISIONAL = both(
    "{count} of these marks may still change: something in {count:it|them} waits for review, or broke and "
    "is to be graded again.",
    "{count} de ces notes {count:peut|peuvent} encore changer : quelque chose y attend d’être jugé, ou a "
    "échoué et sera corrigé à nouveau.",
)
QUESTIONS = both("Questions", "Questions")
QUESTION = both("question", "question")
GRADED = both("graded", "notées")
MEAN_FRACTION = both("points earned", "points obtenus")
DISCRIMINATION = both("discrimination", "discrimination")
FEW = both("too few", "trop peu")
ALIKE_POINTS = both("all alike", "tous pareils")
LOOK = both("look at it", "à regarder")
HIDDEN = both("a check that students do not see", "une vérification que les étudiants ne voient pas")
QUESTIONS_OF = both(
    "Points earned is the mean fraction of a question’s points: low is hard. Discrimination is the "
    "correlation of a question with the rest of the test (corrected item-total correlation, Henrysson "
    "1963; for right or wrong the point-biserial one): near 1 it tells who knows the rest, near 0 it "
    "tells nothing, below 0 who does well elsewhere does badly here, and the question or its key is "
    "worth a look. With fewer than {enough} students it is not computed, and below a hundred it is a "
    "hint only.",
    "Points obtenus : la fraction moyenne des points de la question ; basse, elle est difficile. "
    "Discrimination : la corrélation d’une question avec le reste du test (corrélation item-total "
    "corrigée, Henrysson 1963 ; pour juste ou faux, point-bisériale) : près de 1, elle distingue qui "
    "sait le reste ; près de 0, elle ne dit rien ; sous 0, qui réussit ailleurs échoue ici, et la "
    "question ou sa clé mérite un regard. À moins de {enough} étudiants elle n’est pas calculée, et à "
    "moins de cent ce n’est qu’un indice.",
)
IDEAS = both("Wrong ideas", "Idées fausses")
IDEAS_OF = both(
    "Wrong options that were chosen, and wrong ideas that were said in short texts; with what students "
    "are told.",
    "Les options fausses choisies et les idées fausses dites dans les textes courts ; avec ce qui est "
    "dit aux étudiants.",
)
NO_IDEAS = both("None was seen.", "Aucune n’a été vue.")
CHOSEN = both("chosen:", "choisi :")
TOLD = both("told:", "réponse donnée :")
COLON = both(":", " :")
MORE = both("and {count} more", "et {count} de plus")
IN_ONE = both(
    "{count} {count:pair or group|pairs and groups} alike in one question only",
    "{count} {count:groupe semblable|groupes semblables} dans une seule question",
)
HOW_MANY = both("students", "étudiants")
SIGNALS = both("Signals", "Signaux")
SIGNALS_OF = both(
    "These are things to look at, and no findings. Students who work in pairs, one shared source or a "
    "wrong clock give the same signals; nothing here says who did what, and nothing was taken off for "
    "it.",
    "Ce sont des choses à regarder, et non des constats. Un travail à deux, une source commune ou une "
    "horloge fausse donnent les mêmes signaux ; rien ici ne dit qui a fait quoi, et rien n’a été retiré "
    "pour cela.",
)
NO_SIGNALS = both("None.", "Aucun.")
ALIKE = both("Answers nearly the same", "Réponses presque identiques")
ALIKE_OF = both(
    "Texts of {words} words or more, without what was copied from the question or the sheet; at least "
    "{near} % alike.",
    "Textes de {words} mots ou plus, sans ce qui est copié de la question ou de la feuille ; semblables "
    "à au moins {near} %.",
)
ALIKE_IN = both("{questions} ({near} %)", "{questions} ({near} %)")
TIMES = both("Times and origins that do not fit", "Heures et origines qui ne concordent pas")
ODDITIES = {
    "measured-after": both(
        "handed in {0}, and the evidence was measured at {1}, later",
        "remis {0}, et les mesures jointes datent de {1}, donc d’après",
    ),
    "begun-after": both(
        "handed in {0}, and the workspace was made {1}, later",
        "remis {0}, et l’espace de travail a été créé {1}, donc après",
    ),
    "measured-before": both(
        "measured {0}, and the workspace was made {1}, later",
        "mesuré {0}, et l’espace de travail a été créé {1}, donc après",
    ),
    "too-short": both(
        "the run took {0} s, and what it says it measured takes {1} s at least",
        "la série a duré {0} s, et ce qu’elle dit avoir mesuré prend au moins {1} s",
    ),
    "same-run": both(
        "the same run, {0}, started {1}, in the evidence of each",
        "la même série, {0}, commencée {1}, dans les mesures de chacun",
    ),
    "same-archive": both("the same archive, byte for byte", "la même archive, octet pour octet"),
}
OPEN = both("What is open", "Ce qui est ouvert")
WAITING = both("Waits for review", "En attente de jugement")
WAITING_OF = both("{question}: {count}", "{question} : {count}")
ERRORS = both("Errors of ours, by cause", "Erreurs de notre part, par cause")
SKIPPED = both("Not gradable here, by cause", "Non notable ici, par cause")
CAUSE_OF = both(
    "{count} {count:time|times}, {students} {students:student|students}; {questions}",
    "{count} fois, {students} {students:étudiant|étudiants} ; {questions}",
)
UNREADABLE = both("Nothing could be read", "Rien n’a pu être lu")
UNREADABLE_OF = both(
    "What these students handed in could not be read: they have no points, and may not know.",
    "Ce que ces étudiants ont remis n’a pas pu être lu : ils n’ont pas de points, et ne le savent "
    "peut-être pas.",
)
NOT_VERIFIED = both("Not verified, by reason", "Non vérifié, par raison")
NOT_VERIFIED_OF = both(
    "Whose work or evidence could not be verified. There are many harmless reasons, and it costs nothing.",
    "De qui le travail ou les mesures n’ont pas pu être vérifiés. Les raisons anodines sont nombreuses, "
    "et cela ne coûte rien.",
)
STUDENTS_OF = both("{count} {count:student|students}", "{count} {count:étudiant|étudiants}")
NOTHING_OPEN = both("Nothing.", "Rien.")
ALL_MARKS = both("All marks", "Toutes les notes")
PSEUDONYMS = both(
    "Names are replaced by numbers, and no answer is shown.",
    "Les noms sont remplacés par des numéros, et aucune réponse n’est montrée.",
)
MADE = both("made by tdlab on {time}", "établi par tdlab le {time}")
# The terminal's.
HARDEST = both("hardest", "les plus difficiles")
COMMONEST = both("most common wrong ideas", "idées fausses les plus fréquentes")
PAGE = both("page: {file}", "page : {file}")
TO_REVIEW = both(
    "{count} {count:answer waits|answers wait} for review (`tdlab review {folder}`)",
    "{count} {count:réponse attend|réponses attendent} d’être {count:jugée|jugées} (`tdlab review {folder}`)",
)
TO_REGRADE = both(
    "{count} {count:error|errors} of ours (`tdlab regrade {folder}`)",
    "{count} {count:erreur|erreurs} de notre part (`tdlab regrade {folder}`)",
)
TO_TELL = both(
    "the work of {count} {count:student|students} could not be read",
    "le travail de {count} {count:étudiant|étudiants} n’a pas pu être lu",
)
TO_LOOK_AT = both("{count} {count:signal|signals} to look at", "{count} {count:signal|signaux} à regarder")
