"""Texts that hold the right words and not their sense: roles turned round, half answers, doubt."""

from __future__ import annotations

import pytest

from domains.paths import LABS
from grader.checks.reading.finding import State
from grader.checks.reading.judging import Judgement, Why, judge
from grader.lab import lab as labs
from grader.lab.questions import TextQuestion

TEXTS = {one.id: one for one in labs.load(LABS / "r202") if isinstance(one, TextQuestion)}
VOCABULARY = (("agents", "{guest} {vmm}"), ("guest", "guest invite"), ("vmm", "hypervisor hyperviseur"))


def asking(wording: str) -> TextQuestion:
    both = {"fr": "Pourquoi ?", "en": "Why?"}
    idea = {"id": "idea", "means": both, "wordings": [wording]}
    data = {"id": "q", "kind": "text", "points": 1, "ask": both, "hint": both, "ideas": [idea]}
    return TextQuestion.model_validate(data).model_copy(update={"vocabulary": VOCABULARY})


def holds(wording: str, text: str) -> bool:
    return bool(judge(asking(wording), text).said())


@pytest.mark.parametrize(
    ("text", "is_said"),
    [
        ("the guest runs its code and hands control over", True),
        ("the hypervisor runs its code and hands control over", False),
        ("l'hyperviseur tourne et passe la main", False),
        ("l'hyperviseur tourne, et passe la main", False),
        ("l'hyperviseur tourne et l'invité passe la main", True),
        ("l'hyperviseur tourne et il passe la main", True),
    ],
)
def test_who_does_one_thing_does_the_next_after_an_and(text: str, is_said: bool) -> None:
    assert holds("hands|passe@{guest} control|main", text) is is_said


def test_a_strict_agent_has_to_be_named() -> None:
    assert holds("checks@!{guest}", "the guest checks everything")
    assert not holds("checks@!{guest}", "one checks everything")
    assert not holds("checks@!{guest}", "the hypervisor checks everything")
    assert holds("checks@{guest}", "one checks everything")


def test_a_word_may_be_wanted_in_one_form_alone() -> None:
    assert holds("emulates! card", "it emulates a card")
    assert not holds("emulates! card", "an emulated card")
    assert holds("emulates card", "an emulated card")


def test_a_wording_may_be_wanted_in_one_clause() -> None:
    assert holds("tables close:walked without:fast", "it is fast, and two tables are walked")
    assert not holds("tables close:walked", "two tables are there, and the disk is walked")
    assert not holds("tables close:walked without:fast", "two tables are fast walked")


@pytest.mark.parametrize("text", ["c'est moins lent", "it is less expensive", "KVM n'est pas utilisé"])
def test_what_is_made_less_or_not_used_is_denied(text: str) -> None:
    asked = asking("lent|expensive|kvm")
    assert [one.state for one in judge(asked, text).ideas] == [State.DENIED]


@pytest.mark.parametrize(
    "text",
    [
        "il est loin de tourner",
        "it fails to run, in a word",
        "l'invité est incapable de tourner",
        "unlike what runs",
        "il est inutile de tourner",
        "plutôt que de tourner",
    ],
)
def test_what_is_far_from_being_or_fails_is_denied(text: str) -> None:
    assert [one.state for one in judge(asking("tourner|run"), text).ideas] == [State.DENIED]


def test_what_nothing_hinders_is_not_denied() -> None:
    assert holds("migrer", "rien n'empêche de migrer")
    assert holds("migrate", "nothing prevents you to migrate")


def test_what_an_arrow_leads_to_is_denied_with_where_it_begins() -> None:
    text = "l'invité tient gva→gpa, mais l'hyperviseur ne tient pas gpa→hpa"
    assert judge(TEXTS["2.3"], text).said() == ("guest-table",)


def test_bare_choices_tell_no_why() -> None:
    bare = judge(TEXTS["3.6"], "virtio, passthrough, e1000, virtio")
    assert (bare.alone, bare.fraction) == (False, 1)
    assert judge(TEXTS["3.6"], "1) virtio 2) VF 3) e1000 4) virtio").fraction == 1
    assert judge(TEXTS["1.7"], "vmx, svm").alone


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("1.1", "QEMU/KVM, comme dans Proxmox"),
        (
            "1.2",
            "an ordinary process that uses the kvm module of the Linux kernel; its options give RAM",
        ),
        ("1.4", "L'hyperviseur n'a plus à exécuter lui-même chaque instruction de l'invité"),
        ("1.5", "VT-x in the Advanced CPU menu; afterwards the kernel module can be loaded"),
        (
            "2.1",
            "La MMU traduit, le TLB garde les traductions ; sinon on attend qu'on parcoure la table",
        ),
        ("2.2", "each memory mapping that the guest changes costs an exit, which makes it more expensive"),
        ("2.4", "EPT n'aide jamais un calcul pur, et coûte plus à chaque miss du TLB (deux tables)"),
        ("3.1", "Chaque accès sort vers QEMU. QEMU imite la puce puis utilise la carte de l'hôte"),
        ("3.2", "The guest has a virtio driver and talks directly to the host through a shared ring"),
        ("3.4", "Sans IOMMU on laisserait la carte écrire par DMA dans l'hôte ; elle l'en empêche"),
    ],
)
def test_right_answers_hold_no_wrong_idea(question: str, text: str) -> None:
    assert not judge(TEXTS[question], text).said_wrong()


def test_a_clause_in_the_words_of_an_idea_that_was_found_may_tell_another() -> None:
    half = "La table de l'invité est modifiée, la table est protégée contre le noyau invité"
    assert judge(TEXTS["2.2"], half).fraction == 0.5
    assert judge(TEXTS["2.2"], "ça provoque plein de VM exits, et un exit coûte cher").why is Why.SOME_IDEAS


def test_more_than_is_no_denial() -> None:
    assert holds("cartes", "il faut plus de cartes que de VM")
    assert not holds("no:cartes", "il faut plus de cartes que de VM")


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("1.3", "L'invité vérifie chaque instruction de l'hyperviseur, ce qui est lent"),
        (
            "1.4",
            "The CPU directly executes the hypervisor, and hands the sensitive instructions to the guest",
        ),
        ("1.4", "L'invité s'exécute directement sur le CPU, sous le contrôle de l'hyperviseur"),
        ("1.6", "virtio sort à chaque accès, donc il faut émuler la carte"),
        ("2.1", "MMU translates virtual to physical, the page table stores the mappings, walked on a miss"),
        ("2.2", "The shadow tables map guest addresses, and there is an exit each time they're missing"),
        ("2.4", "un calcul pur provoque deux parcours de table à chaque addition"),
        ("3.1", "the guest driver emulates the card in software and each register write exits"),
        ("3.1", "Le paquet sort de la VM par la carte, que QEMU émule en logiciel"),
        ("3.3", "La carte est plus rapide que les autres cartes, quasi native"),
        ("3.4", "L'IOMMU autorise le périphérique à accéder à la mémoire de l'hôte"),
        ("3.5", "Une VF est confiée à chaque VM, la PF est la VM principale"),
        ("vmcs", "it lists which VMs exist and in which state they are when the host starts"),
        ("vmcs", "It keeps the guest's registers but it isn't used on exits"),
        ("1.1", "C'est QEMU qui émule tout le processeur, kvm n'est pas utilisé"),
        ("1.7", "vmx ou svm pour intel, pareil pour amd"),
    ],
)
def test_the_right_words_in_the_wrong_roles_earn_no_full_mark_alone(question: str, text: str) -> None:
    found = judge(TEXTS[question], text)
    assert not (found.alone and found.fraction == 1), found


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("1.2", "its only a program that someone launched, all about it was typed on the command line"),
        ("1.4", "l'appli de la VM tape direct dans le proc ; seul ce qui est dangereux provoque un exit"),
        ("2.2", "La table de l'invité est protégée, donc toute mise à jour finit chez l'hyperviseur"),
        ("3.1", "Le pilote tape dans des registres qui existent pas : trap, l'hyperviseur fait comme si"),
        ("3.3", "Débit natif. Par contre l'hôte ne la voit plus"),
        ("1.3", "les perfs s'effondrent puisque l'hyperviseur refait le boulot instruction par instruction"),
        ("vmcs", "Mémoriser où en étaient l'invité et l'hôte, pour reprendre après chaque sortie"),
        ("1.7", "vmx ou svm, selon Intel ou AMD"),
    ],
)
def test_right_answers_in_unusual_words_earn_the_full_mark_or_a_reader(question: str, text: str) -> None:
    found = judge(TEXTS[question], text)
    assert found.fraction == 1 or not found.alone, found


def given(question: str, text: str) -> Judgement:
    return judge(TEXTS[question], text)


def test_small_words_may_tell_an_idea() -> None:
    assert given("3.3", "No other VM can use it").why is not Why.EMPTY
    assert given("3.3", "no idea").why is Why.EMPTY


def test_half_an_answer_in_the_words_of_the_question_is_not_copied() -> None:
    assert (
        given("2.1", "Quand la traduction n'est pas dans le TLB, on va voir dans la table").why
        is not Why.COPIED
    )
    asked = TEXTS["2.1"].ask
    assert given("2.1", asked.fr).why is Why.COPIED
    assert given("2.1", asked.en).why is Why.COPIED


def test_who_forgets_which_is_which_is_not_off_topic() -> None:
    assert not given("1.7", "svm ou vmx je ne sais plus lequel est chez qui").alone
    assert given("1.7", "vmx and svm, one each, don't know which").why is Why.HEDGED
