"""What checks say to students, in both languages; ``{names}`` are filled in by the check."""

from __future__ import annotations

from grader.language.bilingual import both

NO_ANSWER = both("no answer given", "aucune réponse donnée")
ANSWERS_BROKEN = both(
    "your answers could not be read: {problem}", "vos réponses n'ont pas pu être lues : {problem}"
)
ONE_OF = both("answer with one of: {options}", "répondez par un seul de : {options}")
SOME_OF = both("answer with a list of some of: {options}", "répondez par une liste prise dans : {options}")
NOT_TICKED = both(
    "{count} right {count:option|options} not ticked",
    "{count} {count:bonne option non cochée|bonnes options non cochées}",
)
NOT_A_NUMBER = both(
    "write a number, with its unit if you like: 2.4 {unit}",
    "écrivez un nombre, avec son unité si vous voulez : 2,4 {unit}",
)
NEGATIVE = both(
    "what is measured here is never negative: give 0 or more",
    "ce qui se mesure ici n'est jamais négatif : donnez 0 ou plus",
)
WRONG_UNIT = both(
    "the unit {given} does not fit: {unit} is asked for",
    "l'unité {given} ne convient pas : on demande {unit}",
)
INVERTED = both(
    "that is one divided by the right number: you divided the other way round",
    "c'est l'inverse du bon nombre : vous avez divisé dans l'autre sens",
)
MEASURE_FIRST = both(
    "{cause}. Measure with `tdlab bench` in your workspace: what it finds is handed in with your answers.",
    "{cause}. Mesurez par `tdlab bench` dans votre espace de travail : "
    "ce qu'il trouve est rendu avec vos réponses.",
)
HOST_CANNOT = both(
    "not gradable on this host: {cause}. It is not counted; an emulated lab host may show it: "
    "`tdlab host up --emulated lab1`, then measure with --host lab1",
    "non notable sur cette machine : {cause}. Ce n'est pas compté ; un hôte de TD émulé peut le montrer : "
    "`tdlab host up --emulated lab1`, puis mesurez avec --host lab1",
)
OTHER_NAME = both(
    "the domain is named {given}, and {wanted} was asked for",
    "le domaine se nomme {given}, on demande {wanted}",
)
OTHER_MAC = both(
    "line {line}: the MAC address is {given}, and {wanted} was asked for",
    "ligne {line} : l'adresse MAC est {given}, on demande {wanted}",
)
GIVEN_UP = both(
    "you measured with --without-predicting first: this prediction can earn no more points",
    "vous avez d'abord mesuré avec --without-predicting : cette prédiction ne rapporte plus de points",
)
UNVERIFIED = both("unverified, left to the teacher: {cause}", "non vérifié, laissé à l'enseignant : {cause}")
VERIFIED = both("verified", "vérifié")
HINTS_COST = both(
    "{count} {count:hint|hints} asked for: −{points} pt",
    "{count} {count:indice demandé|indices demandés} : −{points} pt",
)
UNREADABLE = both(
    "the measures could not be read, left to the teacher: {cause}",
    "les mesures n'ont pas pu être lues, laissé à l'enseignant : {cause}",
)
WHOSE_UNKNOWN = both(
    "nobody can say which variant was answered, left to the teacher: {cause}",
    "on ne sait pas à quelle variante il est répondu, laissé à l'enseignant : {cause}",
)
COUNTER_LOST = both(
    "the measuring broke, no point is lost: {cause}", "la mesure a échoué, aucun point n'est perdu : {cause}"
)
A_TEXT = both("answer with one or two sentences", "répondez par une ou deux phrases")
QUESTION_COPIED = both(
    "that is the question again: answer in your own words",
    "c'est la question elle-même : répondez avec vos propres mots",
)
FOR_REVIEW = both("left to the teacher: {why}", "laissé à l'enseignant : {why}")
WHY_HEDGED = both("right and wrong ideas stand side by side", "idées justes et fausses se côtoient")
WHY_BOTH_WAYS = both("it is said both ways at once", "les deux sens sont laissés ouverts")
WHY_NEGATED = both("a negation could turn the meaning round", "une négation peut renverser le sens")
WHY_SOME = both(
    "found {found} of {all} ideas; the others may be said in other words",
    "{found} {found:idée trouvée|idées trouvées} sur {all} ; les autres sont peut-être dites autrement",
)
WHY_LONG = both("longer than a short answer", "plus long qu'une réponse courte")
WHY_OFF_TOPIC = both("no word of it is about what is asked", "rien n'y touche à ce qui est demandé")
WHY_SOUP = both(
    "the words are there, put together in one go: do they make sense?",
    "les mots y sont, mis bout à bout : ont-ils un sens ?",
)
WHY_OF_MARKS = both("it speaks of the marking", "le texte parle de la notation")
WHY_ALL = both("all ideas are there, and no wrong one", "toutes les idées y sont, et aucune fausse")
WHY_PART = both(
    "found {found} of {all} ideas, and nothing more is said",
    "{found} {found:idée trouvée|idées trouvées} sur {all}, et rien d'autre n'est dit",
)
WHY_WRONG = both("a wrong idea, and no right one", "une idée fausse, et aucune juste")
WHY_DENIED = both("what is right is denied", "ce qui est juste est nié")
IS_MISSING = both("Missing: {ideas}.", "Il manque : {ideas}.")
MARKED_ALONE = both("{points} of {max} pt, marked alone", "{points} pt sur {max}, noté seul")
MARKED_BY_TEACHER = both(
    "left to the teacher ({points} of {max} pt by what was found)",
    "laissé à l'enseignant ({points} pt sur {max} d'après ce qui est trouvé)",
)
SEEN_IN = both("{id}, seen in: {words}", "{id}, vu dans : {words}")
SEEN_DENIED = both("{id}, denied in: {words}", "{id}, nié dans : {words}")
SEEN_WRONG = both("wrong idea {id}, seen in: {words}", "idée fausse {id}, vue dans : {words}")
NOT_SEEN = both("{id}, not seen", "{id}, non vu")
FILE_MISSING = both("{file} was not handed in", "{file} n'a pas été rendu")
TOO_LARGE = both(
    "{file}: the lab host boots guests of at most {memory} and {vcpus} vCPUs",
    "{file} : la machine de TD ne démarre que des invités d'au plus {memory} et {vcpus} vCPU",
)
NO_LAB_HOST = both(
    "not gradable here without a lab host: `tdlab check --boot`, or `tdlab grade --lab-host NAME`",
    "non notable ici sans machine de TD : `tdlab check --boot`, ou `tdlab grade --lab-host NOM`",
)
HOST_REFUSES = both(
    "not gradable on this lab host: {cause} ({remedy})",
    "non notable sur cette machine de TD : {cause} ({remedy})",
)
NOT_TEXT = both("{file} is no text in UTF-8", "{file} n'est pas un texte en UTF-8")
NO_NIC = both("the domain has no network interface", "le domaine n'a pas d'interface réseau")
EMULATED_NIC = both(
    "line {line}: the interface's model is {model}, {wanted} is asked for",
    "ligne {line} : le modèle de l'interface est {model}, on demande {wanted}",
)
NO_MODEL = both(
    "line {line}: the interface names no model, and libvirt then chooses one for you",
    "ligne {line} : l'interface ne nomme aucun modèle, et libvirt en choisit un à votre place",
)
VHOST_LEFT_OUT = both(
    "line {line}: nothing says whether vhost is used, and libvirt then decides in silence; "
    "write <driver name='{name}'/>",
    "ligne {line} : rien ne dit si vhost est utilisé, et libvirt décide alors en silence ; "
    "écrivez <driver name='{name}'/>",
)
VHOST_WRONG = both(
    "line {line}: vhost is {given}, {wanted} is asked for; write <driver name='{name}'/>",
    "ligne {line} : vhost est {given}, on demande {wanted} ; écrivez <driver name='{name}'/>",
)
AN_ORDER = both(
    "answer with a list that holds each of these once: {items}",
    "répondez par une liste qui contient une fois chacun : {items}",
)
NOT_COMMITTED = both(
    "not committed before measuring: commit it with `tdlab predict`, then measure",
    "non engagée avant la mesure : engagez-la par `tdlab predict`, puis mesurez",
)
COMMITTED_OTHER = both(
    "the prediction committed before measuring was another one",
    "la prédiction engagée avant la mesure était une autre",
)
COMMITTED_LATE = both(
    "committed at {time}, after the measure had begun ({started})",
    "engagée à {time}, après le début de la mesure ({started})",
)
ANY_PREDICTION = both(
    "any prediction made before measuring", "n'importe quelle prédiction faite avant de mesurer"
)
PREDICTED = both("predicted {value}, measured {measured}", "prédit {value}, mesuré {measured}")
