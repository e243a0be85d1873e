"""What a command says when it refuses, in the student's language: errors are raised in English, far from any.

A message that nobody has put into French stays as it is: a remedy in English is better than none.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from grader.language import Lang
from grader.language.bilingual import Bilingual, both

_WORKSPACE = "workspace.yaml"
_LINE = re.compile(r"(\s*(?:[^\s:]+:\d+:\d+: )?)(.*)", re.DOTALL)
# What libyaml says of a slip, and what it most often is; it notices one a line or more too late.
_SLIPS = {
    "mapping values are not allowed.*": both(
        "a colon too many here: write a text below its question, four spaces before each line",
        "un deux-points de trop ici : écrivez un texte sous sa question, quatre espaces devant chaque ligne",
    ),
    "could not find expected ':'": both(
        "here or just before, a line does not begin with the spaces it needs: four for a text",
        "ici ou juste avant, une ligne ne commence pas par les espaces qu'il faut : quatre pour un texte",
    ),
    "did not find expected ',' or '.'": both(
        "here or just before, a bracket is not closed: write [a, b]",
        "ici ou juste avant, un crochet n'est pas fermé : écrivez [a, b]",
    ),
    ".*cannot start any token": both(
        "a character that no answer may begin with (a tab?): put the answer in quotes, or write spaces",
        "une réponse ne peut pas commencer ainsi (tabulation ?) : des guillemets, ou des espaces",
    ),
    ".*unexpected end of stream": both(
        "a quotation mark is not closed, here or further up", "un guillemet n'est pas fermé, ici ou plus haut"
    ),
    "did not find expected node content": both(
        "something begins here or just before, and does not go on: close the bracket, or finish the line",
        "quelque chose commence ici ou juste avant, et ne va pas plus loin : fermez le crochet, ou finissez",
    ),
    "did not find expected key": both(
        "here or just before, a line is set in too far or too little",
        "ici ou juste avant, une ligne a trop ou trop peu d'espaces devant elle",
    ),
}
_FRENCH = {
    "Missing argument '(?P<what>.+)'\\.": "il manque : {what}",
    "No such option '?(?P<what>[^' ]+?)'?\\.(?P<rest>.*)": "l'option {what} n'existe pas",
    "Option '(?P<what>.+)' requires an argument\\.": "l'option {what} attend une valeur",
    "Got unexpected extra arguments? \\((?P<what>.+)\\)": "c'est trop : {what}",
    "No such command '(?P<what>.+?)'\\. Did you mean '(?P<near>.+)'\\?": "{what} n'est pas une commande ; "
    "vouliez-vous dire {near} ?",
    "No such command '(?P<what>.+?)'\\.": "{what} n'est pas une commande ; tdlab --help les montre",
    "Invalid value for '(?P<what>.+?)': '(?P<got>.*)' is not one of (?P<known>.+)\\.": "{what} ne peut pas "
    "valoir {got} : choisissez parmi {known}",
    "Invalid value for '(?P<what>.+?)': (?P<got>.*) is not in the range (?P<range>.*)\\.": "{what} ne peut "
    "pas valoir {got} : il faut {range}",
    "Invalid value for '(?P<what>.+?)': (?P<got>.*) is not a valid integer.*": "{what} attend un nombre "
    "entier, pas {got}",
    "Invalid value for '(?P<what>.+?)': (?:File|Path|Directory) (?P<got>'.*') does not exist\\.": "{what} : "
    "{got} n'existe pas",
    "Invalid value for '(?P<what>.+?)': (?P<why>.*)": "{what} n'est pas bon : {why}",
    "name a question and what you predict: (?P<how>.+)": "nommez une question et votre prédiction : {how}",
    "name a lab and one of its experiments: (?P<how>.+)": "nommez un TD et une de ses expériences : {how}",
    "(?P<what>.+) is of a room: name its inventory with -i FILE\\.": "{what} est pour une salle : nommez son "
    "inventaire avec -i FICHIER",
    "(?P<what>.+) does not exist": "{what} n'existe pas",
    "check the name and the folder you are in": "vérifiez le nom, et le dossier où vous êtes",
    "(?P<what>.+) is not a lab: it holds no lab.yaml": "{what} n'est pas un TD",
    "name a folder such as labs/r202": "nommez un TD, par exemple r202",
    "(?P<what>.+) is in no workspace": "{what} n'est dans aucun espace de travail",
    "make one with `tdlab start LAB`, or go into it": "créez-en un par `tdlab start TD`, ou allez-y par cd",
    "(?P<what>.+) is not empty": "{what} n'est pas vide",
    "name another folder with --into": "nommez un autre dossier avec --into",
    "(?P<at>.+) is a workspace of the student (?P<whose>.+), not of (?P<asked>.+)": "{at} est l'espace de "
    "travail de {whose}, pas de {asked}",
    "(?P<at>.+) is a workspace of the lab (?P<whose>.+), not of (?P<asked>.+)": "{at} est un espace "
    "de travail pour {whose}, pas pour {asked}",
    "(?P<what>.+) is no name": "{what} n'est pas un nom",
    "write your name with --student": "donnez votre nom avec --student",
    "the lab has no question (?P<what>.+)": "le TD n'a pas de question {what}",
    "did you mean (?P<what>.+)\\?": "vouliez-vous dire {what} ?",
    "questions: (?P<what>.+)": "questions : {what}",
    "(?P<what>.+) takes no prediction": "{what} n'attend pas de prédiction",
    "predictions: (?P<what>.+)": "à prédire : {what}",
    "(?P<what>.+) is no prediction for (?P<on>.+)": "{what} n'est pas une prédiction pour {on}",
    "give a number": "donnez un nombre",
    "(?P<what>.+) cannot be negative, and (?P<got>.+) is": "{what} ne peut pas être négatif : {got}",
    "give 0 or more": "donnez 0 ou plus",
    "give each of (?P<what>.+) once": "donnez une fois chacun : {what}",
    "(?P<lab>\\S+) has no experiment (?P<what>.+)": "{lab} n'a pas d'expérience {what}",
    "it has: (?P<what>.+)": "il y a : {what}",
    "(?P<lab>\\S+) asks nothing of a host": "{lab} ne demande rien à une machine",
    "leave --host out": "laissez --host de côté",
    "(?P<what>.+) is missing": "{what} manque",
    "`tdlab start` makes an empty one": "`tdlab start` en crée un vide",
    "see `tdlab host list`; for files of yours: --question ID, or --domains": "voyez `tdlab host list` ; "
    "pour vos propres fichiers : --question ID, ou --domains",
    "unknown key (?P<what>.+)": "{what} n'a rien à faire ici",
    "write it below answers:": "écrivez-le sous answers:",
    "these are answers to (?P<what>.+), not to (?P<lab>.+)": "ce sont des réponses à {what}, pas à {lab}",
    "write: (?P<what>.+)": "écrivez : {what}",
    "answers is a mapping of question to answer": "sous answers: chaque ligne est une question et sa réponse",
    "write for example: (?P<what>.+)": "écrivez par exemple : {what}",
    "--one-guest plugs NICs .*": "--one-guest et --image ne vont pas ensemble : laissez-en un",
    "--resume names the run's folder, and .*": "--resume et --out nomment deux dossiers : laissez-en un",
    "not valid YAML: (?P<why>.+)": "YAML incorrect : {why}",
    "not UTF-8": "ce n'est pas de l'UTF-8",
    "save it as UTF-8( without BOM)?": "enregistrez-le en UTF-8, sans BOM",
    "it begins with a byte order mark": "il commence par une marque d'ordre des octets (BOM)",
    "invisible character (?P<what>.+)": "caractère invisible {what}",
    "remove it": "retirez-le",
    "(?P<what>.+) bytes are too many": "{what} octets, c'est trop",
    "keep it below (?P<what>.+) bytes": "restez sous {what} octets",
    "(alias|anchor|tag) (?P<what>.+) is not allowed": "{what} n'est pas permis ici",
    "write the value out": "écrivez la valeur elle-même",
    "(?P<what>.+) is given twice": "{what} est donné deux fois",
    "keep one of the two": "gardez l'un des deux",
    "a key must be a plain word": "à gauche du deux-points, il faut un mot simple",
    "nested more than (?P<what>\\d+) levels deep": "plus de {what} niveaux l'un dans l'autre",
    "interrupted; what was measured is kept.*": "interrompu ; rien n'est perdu (une mesure : --resume)",
}
USAGE = both("Usage: {usage}\nHelp: {command} --help\n", "Usage : {usage}\nAide : {command} --help\n")
WRONG = both("Error: {why}", "Erreur : {why}")


def spoken(folder: Path | None = None) -> Lang:
    """Return the language of the workspace that a folder is in, and elsewhere that of the environment."""
    here = (folder or Path()).absolute()
    for place in (here, *here.parents):
        try:
            found = re.search(r"^lang: (en|fr)$", (place / _WORKSPACE).read_text("utf-8"), re.MULTILINE)
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return "fr" if found[1] == "fr" else "en"
    return of_environment() or "en"


def of_environment() -> Lang | None:
    """Return the language that the environment asks for, or None for all others and for C."""
    asked = next((one for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (one := os.environ.get(name))), "")
    found = re.match(r"(en|fr)(?![A-Za-z])", asked)
    return None if found is None else "fr" if found[1] == "fr" else "en"


def said(message: str, lang: Lang) -> str:
    """Return an error message in a language, line by line; places in files stay in front."""
    return "\n".join(_line(line, lang) for line in message.split("\n"))


def _line(line: str, lang: Lang) -> str:
    match = _LINE.fullmatch(line)
    front, rest = (match[1], match[2]) if match else ("", line)
    for pattern, meant in _SLIPS.items():
        if re.fullmatch(f"not valid YAML: {pattern}", rest):
            return front + meant.say(lang)
    if lang == "en":
        return line
    for pattern, french in _FRENCH.items():
        if found := re.fullmatch(pattern, rest):
            return front + Bilingual(fr=french, en=french).say("fr", **found.groupdict())
    return line
