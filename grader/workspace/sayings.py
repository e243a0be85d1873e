"""What the student's commands say, in both languages; ``{names}`` are filled in where it is said."""

from __future__ import annotations

from grader.language.bilingual import both

ANSWER_IT = both("not answered yet", "pas encore de réponse")
STATES = {
    "open": both("open", "à faire"),
    "noted": both("noted", "notée"),
    "right": both("right", "juste"),
    "partly": both("partly right", "juste en partie"),
    "wrong": both("not yet", "pas encore"),
    "waiting": both("your teacher decides", "l'enseignant décidera"),
    "not-here": both("not gradable here", "non notable ici"),
    "broken": both("our fault", "de notre faute"),
}
CHECKED = both(
    "{answered} of {all} questions answered; what is only noted is judged when your work is graded",
    "{answered} {answered:question|questions} sur {all} {answered:a|ont} une réponse ; "
    "ce qui est seulement noté sera jugé à la correction",
)
STARTED = both("{title}: your workspace is {folder}", "{title} : votre espace de travail est {folder}")
FOUND = both(
    "{title}: your workspace {folder} is already there; nothing of yours was changed",
    "{title} : votre espace {folder} existe déjà ; rien n'y a été changé",
)
NEXT_STEPS = both(
    "for:     {student} (another name: --student NAME, into another folder: --into FOLDER)\n"
    "go:      cd {folder}, then `tdlab sheet`\n"
    "read:    {folder}/answers.yaml\ncheck:   tdlab check {folder}\nhand in: tdlab submit {folder}",
    "pour :     {student} (un autre nom : --student NOM, dans un autre dossier : --into DOSSIER)\n"
    "aller :    cd {folder}, puis `tdlab sheet`\n"
    "lire :     {folder}/answers.yaml\nvérifier : tdlab check {folder}\nrendre :   tdlab submit {folder}",
)
HANDED_IN = both(
    "{archive}\n{files} {files:file|files}, handed in as attempt {number}\n"
    "receipt: {code}  (keep it)\nput the archive where your teacher asked for it",
    "{archive}\n{files} {files:fichier|fichiers}, remise numéro {number}\n"
    "reçu : {code}  (gardez-le)\ndéposez l'archive là où votre enseignant l'a demandé",
)
STILL_OPEN = both(
    "{count} {count:question has|questions have} no answer yet; you can hand in again at any time",
    "{count} {count:question n'a|questions n'ont} pas encore de réponse ; "
    "vous pouvez rendre à nouveau à tout moment",
)
ANSWERED = both(
    "{answered} of {all} questions answered",
    "{answered} {answered:question|questions} sur {all} {answered:a|ont} une réponse",
)
OPEN = both("open: {questions}", "à faire : {questions}")
UNCOMMITTED = both(
    "to be predicted before measuring: {questions}", "à prédire avant de mesurer : {questions}"
)
MEASURED = both("measured, in evidence/: {measures}", "mesuré, dans evidence/ : {measures}")
CANNOT = both("the host cannot do it: {measures}", "l'hôte ne le peut pas : {measures}")
LEFT = both("not measured yet: {measures}", "pas encore mesuré : {measures}")
HOW_MEASURED = both(
    "to measure one of these experiments: `tdlab measure {lab} NAME`",
    "pour mesurer une de ces expériences : `tdlab measure {lab} NOM`",
)
NEVER_SUBMITTED = both("not handed in yet", "pas encore rendu")
SUBMITTED = both(
    "handed in {count} {count:time|times}, last {time}, receipt {code}",
    "rendu {count} fois, la dernière le {time}, reçu {code}",
)
PREDICT_FIRST = both(
    "this measure answers what you are to predict first:",
    "cette mesure donne la réponse à ce qu'il faut prédire d'abord :",
)
VALUE = both("VALUE", "VALEUR")
WITHOUT_PREDICTING = both(
    "Or measure with --without-predicting: those predictions can then no longer earn points.",
    "Ou mesurez avec --without-predicting : ces prédictions ne pourront alors plus rapporter de points.",
)
GIVEN_UP = both(
    "{question} was given up when you measured with --without-predicting: it can earn no more points",
    "{question} a été abandonnée par une mesure avec --without-predicting : elle ne rapporte plus de points",
)
COMMITTED = both(
    "committed at {time}; write the same into answers.yaml: {value}",
    "engagé le {time} ; écrivez la même chose dans answers.yaml : {value}",
)
UNLOCKED = both("you can measure now: {command}", "vous pouvez mesurer : {command}")
KEPT = both("in your evidence: {file}", "dans vos preuves : {file}")
NOT_REPLACED = both(
    "nothing was measured, so {file} stays as it was",
    "rien n'a été mesuré : {file} reste comme il était",
)
IS_FINISHED = both(
    "this workspace is finished and handed in; to go on: tdlab start {lab} --reopen --into {folder}",
    "cet espace est terminé et rendu ; pour reprendre : tdlab start {lab} --reopen --into {folder}",
)
REOPENED = both(
    "open again: hand it in again when you are done", "rouvert : rendez-le à nouveau quand vous aurez fini"
)
FINISHED = both(
    "finished: later changes need `tdlab start {lab} --reopen`",
    "terminé : pour changer encore, `tdlab start {lab} --reopen`",
)
LOOSE_ANSWERS = both("no answer yet: {questions}", "pas encore de réponse : {questions}")
LOOSE_PREDICTIONS = both("not predicted: {questions}", "non prédit : {questions}")
LOOSE_MEASURES = both("not measured: {questions}", "non mesuré : {questions}")
NOTHING_LOOSE = both("every question has an answer", "chaque question a une réponse")
FINISH_NOW = both("Hand in and finish?", "Rendre et terminer ?")
SAY_YES = both(
    "you cannot be asked here; if you are sure, add --yes",
    "la question ne peut pas vous être posée ici ; si vous êtes sûr, ajoutez --yes",
)
NO_HINT = both("{question} has no hint", "{question} n'a pas d'indice")
NO_MORE_HINTS = both("{question} has no more hints", "{question} n'a plus d'indice")
HINT_PRICE = both(
    "This hint costs {price} of the {worth} of {question}. {after}",
    "Cet indice coûte {price} pt ; {question} vaut {worth}. {after}",
)
LAST_HINT = both("It is the last one.", "C'est le dernier.")
ONE_MORE_HINT = both("One more follows it.", "Il en reste un autre après lui.")
MORE_HINTS = both("{count} more follow it.", "Il en reste {count} autres après lui.")
HINT_NOW = both("Show it?", "Le montrer ?")
HINT_BEFORE = both("given before: {text}", "déjà donné : {text}")
HINT_FREE = both("it costs nothing", "il ne coûte rien")
HINTS_LEFT = both("hints: {prices} (`tdlab hint {question}`)", "indices : {prices} (`tdlab hint {question}`)")
HINT_COSTS = both("−{price} pt", "−{price} pt")
FREE = both("free", "gratuit")
ASKED = both("asked for: {how}", "demandé : {how}")
PUT_BACK = both(
    "put back as `tdlab start` made it; yours is in {kept}",
    "remis comme `tdlab start` l'a fait ; le vôtre est dans {kept}",
)
NOTHING_TO_PUT_BACK = both("it is as `tdlab start` made it", "c'est tel que `tdlab start` l'a fait")
RESET_HOST = both(
    "Put the lab host {host} back to how it was made? Guests and files there are gone then.",
    "Remettre l'hôte de TD {host} comme au début ? Ses invités et ses fichiers disparaîtront.",
)
NO_HOST = both(
    "there is no emulated lab host {host}; a real machine is not put back by tdlab",
    "il n'y a pas d'hôte de TD émulé {host} ; tdlab ne remet pas une vraie machine en état",
)
HINTS_TAKEN = both("hints asked for: {questions} (−{cost} pt)", "indices demandés : {questions} (−{cost} pt)")
# Letters that mean yes, the usual one first.
YES_OR_NO = both("y", "oy")
CANNOT_BE_READ = both(
    "nobody can read your answers: {problem}\n"
    "None of them counts until this is put right; hand in again then.",
    "personne ne peut lire vos réponses : {problem}\n"
    "Aucune ne compte tant que ce n'est pas corrigé ; rendez alors à nouveau.",
)
