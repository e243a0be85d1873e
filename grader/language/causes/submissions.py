"""Causes that lie in what was handed in: signature, history, evidence, files and archives."""

from __future__ import annotations

from grader.language.bilingual import both

CAUSES = (
    # The signature and the manifest.
    both("not signed", "l'archive n'est pas signée (faite par `tdlab submit`, elle l'est)"),
    both(
        "the signature is by another key than the manifest names",
        "la signature vient d'une autre clé que celle que nomme le manifeste",
    ),
    both(
        "the signature was made for another purpose than {what}",
        "la signature a été faite pour un autre usage que {what}",
    ),
    both("the signature does not fit the manifest", "la signature ne correspond pas au manifeste"),
    both("the signature cannot be read: {cause}", "la signature est illisible : {cause}"),
    both("no SSH signature", "ce n'est pas une signature SSH"),
    both("of another version", "elle est d'une autre version"),
    both("of an unknown hash", "son algorithme est inconnu"),
    both("of another kind than Ed25519", "elle n'est pas du type Ed25519"),
    both("it is cut", "elle est coupée"),
    both("something follows it", "quelque chose la suit"),
    both("the manifest names no Ed25519 key", "le manifeste ne nomme pas de clé Ed25519"),
    both("the manifest names no key", "le manifeste ne nomme pas de clé"),
    both(
        "{file} is in the manifest, and not in the archive",
        "{file} est dans le manifeste et pas dans l'archive",
    ),
    both("{file} is not in the manifest", "{file} n'est pas dans le manifeste"),
    both("{file} was changed after it was signed", "{file} a été modifié après la signature"),
    both("signed as a submission to {lab}", "signée comme remise pour {lab}"),
    both("{file} is of {one}, and the manifest of {other}", "{file} est de {one}, le manifeste de {other}"),
    both(
        "{file} is of {one}, and the answers are of {other}", "{file} est de {one}, les réponses de {other}"
    ),
    both(
        "{file}: this is a workspace of the lab {one}, not of {other}",
        "{file} : c'est un espace de travail de {one}, pas de {other}",
    ),
    both(
        "neither {one} nor {other} names a student: read as the variant of the author",
        "ni {one} ni {other} ne nomme d'étudiant : lu comme la variante de l'auteur",
    ),
    both(
        "the same archive was handed in by another student too",
        "la même archive a aussi été rendue par un autre étudiant",
    ),
    both(
        "its key also signed what another student handed in",
        "sa clé a aussi signé ce qu'un autre étudiant a rendu",
    ),
    both(
        "signed with another key than an earlier attempt",
        "signée avec une autre clé qu'une remise précédente",
    ),
    both(
        "signed under a name that is not this student's",
        "signée sous un nom qui n'est pas celui de l'étudiant",
    ),
    # The workspace and its history.
    both(
        "{files} and {count} more files: {cause}",
        "{files} et {count} autres fichiers : {cause}",
    ),
    both(
        "there is no readable {file}: nobody knows in which workspace it was made",
        "pas de {file} lisible : on ne sait pas dans quel espace de travail c'est fait",
    ),
    both("its workspace has no nonce", "son espace de travail n'a pas de nonce"),
    both(
        "{file} does not know this file: it was changed, or is of another time",
        "{file} ne connaît pas ce fichier : il a été modifié, ou date d'un autre moment",
    ),
    both(
        "{file} does not hold the moment at which it was begun",
        "{file} ne contient pas le moment où cela a commencé",
    ),
    both(
        "it carries no stamp: it was measured outside of a workspace",
        "il ne porte pas de cachet : mesuré hors d'un espace de travail",
    ),
    both("it carries the stamp of another student, {who}", "il porte le cachet d'un autre étudiant, {who}"),
    both("it carries the stamp of another lab, {lab}", "il porte le cachet d'un autre TD, {lab}"),
    both(
        "it carries the stamp of another workspace of this student",
        "il porte le cachet d'un autre espace de travail du même étudiant",
    ),
    both("it does not say when it began", "il ne dit pas quand il a commencé"),
    both(
        "it began at {time}, before the workspace was started",
        "il a commencé à {time}, avant la création de l'espace de travail",
    ),
    both(
        "it took {took} s, and what it holds takes at least {least} s",
        "il a pris {took} s, et ce qu'il contient demande au moins {least} s",
    ),
    both(
        "{file} does not know the prediction of {question}",
        "{file} ne connaît pas la prédiction de {question}",
    ),
    both(
        "the prediction of {question} comes after the measure in {file}",
        "la prédiction de {question} vient après la mesure dans {file}",
    ),
    both("this line is no event", "cette ligne n'est pas un événement"),
    both("begins with another workspace", "commence par un autre espace de travail"),
    both(
        "a line before this one was changed",
        "une ligne avant celle-ci a été modifiée",
    ),
    # What does not agree with itself.
    both("its spec names {one}, and {where} {other}", "sa spécification nomme {one}, et {where} {other}"),
    both("{what}: {one} was asked for, and {other} ran", "{what} : {one} était demandé, {other} a tourné"),
    both(
        "the guest's driver is {driver}, which drives no {model}",
        "le pilote de l'invité est {driver}, qui ne pilote pas de {model}",
    ),
    both("its XML cannot be read", "son XML est illisible"),
    both("its XML has {model} for a NIC", "son XML a {model} pour carte réseau"),
    both("its XML is of type {one}, and {other} ran", "son XML est de type {one}, et {other} a tourné"),
    both(
        "its XML names the driver {driver}, and vhost was {vhost}",
        "son XML nomme le pilote {driver}, et vhost était {vhost}",
    ),
    both("{metric} holds no finite samples", "{metric} ne contient pas de nombres finis"),
    both("{metric} has {count} samples of {rounds} rounds", "{metric} a {count} mesures pour {rounds} tours"),
    both(
        "the interval of {metric}, {low} to {high}, is not one of its samples",
        "l'intervalle de {metric}, de {low} à {high}, n'est pas celui de ses mesures",
    ),
    both("{metric} is {value}, and TCG has no exits", "{metric} vaut {value}, et TCG n'a pas de sorties"),
    both(
        "{some} exits/MB at registers are more than the {all} in all",
        "{some} sorties/Mo aux registres, c'est plus que les {all} en tout",
    ),
    both(
        "{some} exits/MB at registers are those of an imitated card, not of {model}",
        "{some} sorties/Mo aux registres, c'est une carte imitée, pas {model}",
    ),
    both(
        "{some} exits/MB at registers are too few for an imitated {model}",
        "{some} sorties/Mo aux registres, c'est trop peu pour une {model} imitée",
    ),
    both(
        "{some} exits a second are more than a processor makes",
        "{some} sorties par seconde, c'est plus que ce que fait un processeur",
    ),
    both(
        "{metric} says median {one}, its samples say {other}",
        "{metric} annonce une médiane de {one}, ses mesures donnent {other}",
    ),
    both("its median is {one}, its samples say {other}", "sa médiane est {one}, ses mesures donnent {other}"),
    both(
        "the interval {low} to {high} is not one of its samples",
        "l'intervalle de {low} à {high} n'est pas celui de ses mesures",
    ),
    both("no finite samples", "pas de nombres finis"),
    both("{what}: asked {one}, ran {other}", "{what} : demandé {one}, effectif {other}"),
    both(
        "{metric} is measured, and said not to be measurable",
        "{metric} est mesuré, et dit non mesurable",
    ),
    both(
        "{metric} was measured on {emulator}, and does not say so",
        "{metric} a été mesuré sur {emulator}, et ne le dit pas",
    ),
    both(
        "{table}: no number in {column} where {where}", "{table} : pas de nombre dans {column} pour {where}"
    ),
    both("there is no table {name}", "il n'y a pas de tableau {name}"),
    # What is not there.
    both("{file} has no cell with {what}", "{file} n'a pas de mesure avec {what}"),
    both("{metric} is not measurable: {cause}", "{metric} n'est pas mesurable : {cause}"),
    both("{metric} was neither measured nor explained", "{metric} n'est ni mesuré ni expliqué"),
    both("{metric}: neither measured nor explained", "{metric} : ni mesuré ni expliqué"),
    both("{how} is 0: no ratio to it", "{how} est nul : pas de rapport possible"),
    both("{how} is no finite number", "{how} n'est pas un nombre fini"),
    both("more than {count} parts: no matrix has so many cells", "plus de {count} parties : c'est trop"),
    # Files and archives.
    both(
        "{file} is missing; {there} is there: name it {name}",
        "{file} manque ; il y a {there} : nommez-le {name}",
    ),
    both(
        "{file} is missing; the archive {there} is there: hand that one in",
        "{file} manque ; il y a l'archive {there} : rendez celle-là",
    ),
    both("{file} is missing", "{file} manque"),
    both(
        "{file}: links are not followed; hand in the file itself",
        "{file} : les liens ne sont pas suivis ; rendez le fichier lui-même",
    ),
    both("put the file itself there", "mettez-y le fichier lui-même"),
    both("more than {size} MiB or {count} files are not taken", "pas plus de {size} Mio ou {count} fichiers"),
    both("remove what you do not need from {folder}", "retirez de {folder} ce qui ne sert pas"),
    both("{file} is not a regular file", "{file} n'est pas un fichier ordinaire"),
    both("{file} is larger than {size} bytes", "{file} dépasse {size} octets"),
    both("larger than {size} bytes", "elle dépasse {size} octets"),
    both(
        "it is packed by {kind}, and only ZIP and tar (also with gzip) are read",
        "elle est faite par {kind} ; seuls ZIP et tar (aussi avec gzip) sont lus",
    ),
    both("more than {count} members", "plus de {count} fichiers"),
    both("damaged: no directory at its end", "endommagée : pas de répertoire à la fin"),
    both("damaged: {what}", "endommagée : {what}"),
    both("{file} is a link or a device", "{file} est un lien ou un périphérique"),
    both(
        "{file} is encrypted, or packed in an unusual way",
        "{file} est chiffré, ou compressé autrement que d'usage",
    ),
    both("{file} would unpack to far too much", "{file} serait bien trop grand une fois décompressé"),
    both("it would unpack to far too much", "elle serait bien trop grande une fois décompressée"),
    both("members described in more than {size} bytes", "fichiers décrits en plus de {size} octets"),
    both("{file}: a name too long or too deep", "{file} : nom trop long ou trop profond"),
    both("{file}: a path that leads elsewhere", "{file} : chemin qui mène ailleurs"),
    both("{file}: a name with invisible characters", "{file} : nom avec des caractères invisibles"),
    both("{file} is there twice", "{file} y est deux fois"),
    both(
        "{one} and {other}: which one is meant? Hand in one of them",
        "{one} et {other} : lequel ? N'en rendez qu'un",
    ),
    both("nothing was handed in", "rien n'a été rendu"),
    both("it could not be read", "la lecture a échoué"),
    both("it cannot be read", "c'est illisible"),
    both("it could not be read: {why}", "la lecture a échoué : {why}"),
    both("it could not be looked at: {why}", "l'examen a échoué : {why}"),
    both("{file}: of archives only {kinds} are read", "{file} : seules les archives {kinds} sont lues"),
    both(
        "the students' edition of a lab holds no right answers",
        "la version du TD pour les étudiants ne contient pas les bonnes réponses",
    ),
    both(
        "{place} is the students' edition of {lab}: it holds no right answers",
        "{place} est la version de {lab} pour les étudiants : elle ne contient pas les bonnes réponses",
    ),
    both(
        "use the lab itself, on the machine from which it was deployed",
        "prenez le TD lui-même, sur la machine d'où il a été déployé",
    ),
    both("no result: its tests were not run", "pas de résultat : les tests n'ont pas tourné"),
    both("it took more than {seconds} s", "cela a pris plus de {seconds} s"),
)
