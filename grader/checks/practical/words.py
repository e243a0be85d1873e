"""What these checks say to students, in both languages; ``{names}`` are filled in by the check."""

from __future__ import annotations

from grader.language.bilingual import both

TRANSCRIPT_MISSING = both(
    "{file} is missing: keep there the command, after a $, and what it printed",
    "{file} manque : gardez-y la commande, après un $, et ce qu’elle a affiché",
)
NO_COMMAND = both(
    "{file} holds no command line: keep it too, after a $, as in: $ {example}",
    "{file} ne contient aucune ligne de commande : gardez-la aussi, après un $, comme : $ {example}",
)
OTHER_COMMAND = both(
    "none of the commands in {file} is the one asked for, such as: $ {example}",
    "aucune commande de {file} n’est celle qui est demandée, par exemple : $ {example}",
)
NOT_SHOWN = both("{file} does not show: {means}", "{file} ne montre pas : {means}")
DISAGREES = both(
    "{file} names more than one {name}: {values}", "{file} donne plusieurs {name} différents : {values}"
)
TOO_LONG = both(
    "{file} is longer than {lines} lines: keep what is asked for only",
    "{file} dépasse {lines} lignes : ne gardez que ce qui est demandé",
)
LOOK_AT_HOST = both(
    "{file} is missing: in your workspace, let your lab host be looked at: `tdlab check --host NAME`",
    "{file} manque : dans votre espace de travail, faites examiner votre machine de TD : "
    "`tdlab check --host NOM`",
)
LOOK_AGAIN = both(
    "{file} says nothing of it: look at your lab host again: `tdlab check --host NAME`",
    "{file} n’en dit rien : faites examiner de nouveau votre machine de TD : `tdlab check --host NOM`",
)
HOST_SILENT = both(
    "the lab host {host} could not be looked at, no point is lost: {cause}",
    "la machine de TD {host} n’a pas pu être examinée, aucun point n’est perdu : {cause}",
)
NOT_HERE = both(
    "not gradable on {host}: {cause}. An emulated lab host can do it: `tdlab host up --emulated lab1`, then "
    "{again}",
    "non notable sur {host} : {cause}. Une machine de TD émulée le peut : `tdlab host up --emulated lab1`, "
    "puis {again}",
)
NOT_SO = both("on {host}, this does not hold: {means}", "sur {host}, ceci n’est pas vrai : {means}")
MEASURE_IT = both(
    "{cause}: in your workspace, measure it: `tdlab measure {lab} {name}`",
    "{cause} : dans votre espace de travail, mesurez : `tdlab measure {lab} {name}`",
)
FILE_IS_MISSING = both("{file} is missing", "{file} manque")
OF_ANOTHER = both("{file} is the result of {lab}/{name}", "{file} est le résultat de {lab}/{name}")
MEASURING_BROKE = both(
    "the measuring broke, no point is lost: {cause}", "la mesure a échoué, aucun point n’est perdu : {cause}"
)
NOT_UNDERSTOOD = both(
    "{file} could not be read, left to the teacher: {cause}",
    "{file} n’a pas pu être lu, laissé à l’enseignant : {cause}",
)
CONTRADICTS = both(
    "{file} does not agree with itself, left to the teacher: {cause}",
    "{file} se contredit, laissé à l’enseignant : {cause}",
)
CLAIM_FAILS = both(
    "your measures say the opposite of: {means} ({how}); measure again",
    "vos mesures disent le contraire de : {means} ({how}) ; mesurez de nouveau",
)
CLAIM_OPEN = both(
    "your measures cannot tell yet whether: {means} ({how}); measure again with more samples "
    "(--repeats 5), on a quiet machine",
    "vos mesures ne permettent pas encore de dire si : {means} ({how}) ; mesurez de nouveau avec "
    "plus d’échantillons (--repeats 5), machine au repos",
)
ORDER_OPEN = both(
    "your measures are too close to each other to tell an order; measure again with more rounds "
    "(--repeats 9), on a quiet machine",
    "vos mesures sont trop proches pour donner un ordre ; mesurez de nouveau avec plus de "
    "tours (--repeats 9), machine au repos",
)
