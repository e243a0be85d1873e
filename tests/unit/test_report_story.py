"""The story: experiments in their chapters, their figures, exits by reason, and what came out of claims."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from domains.paths import LABS
from domains.spec import DomainSpec, NicSpec
from grader import report
from grader.experiments import description
from grader.measure import run
from grader.measure.run import METRICS, CellResult, ExitReason, ExitReasons, Measurement, Run
from grader.report.html import html_text
from grader.report.story import chapters, claims, drawing, kept, reasons
from grader.report.story.claims import OfCell, OfExperiment
from grader.report.story.drawing import Bars, Lines, LogScale
from grader.report.story.kept import Kept, Shelf

DATA = Path(__file__).parent.parent / "data/report"


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return kept.find(DATA)


@pytest.fixture(scope="module")
def kvm() -> Run:
    return run.read(DATA / "run-kvm.json")


def found(shelf: Shelf, name: str) -> Kept:
    one = shelf.find(name)
    assert one is not None
    return one


class TestKept:
    def test_all_results_beside_a_run_are_found(self, shelf: Shelf) -> None:
        names = ["exit-meter", "iommu", "lock", "ps", "shadow-paging", "tlb"]
        assert [one.result.experiment for one in shelf.kept] == names
        assert shelf.damaged == ()

    def test_a_damaged_result_is_told_and_does_not_end_the_report(self, tmp_path: Path) -> None:
        shutil.copytree(DATA / "experiments/ps", tmp_path / "experiments/ps")
        (tmp_path / "experiments/tlb").mkdir()
        (tmp_path / "experiments/tlb/experiment.json").write_text("{")
        seen = kept.find(tmp_path)
        assert [one.folder for one in seen.kept] == ["experiments/ps/"]
        ((name, cause),) = seen.damaged
        assert name == "tlb"
        assert "is not a tdlab.experiment/1 result" in cause

    def test_only_plain_files_of_the_evidence_are_linked_to(self, shelf: Shelf) -> None:
        assert found(shelf, "shadow-paging").evidence == (
            ("evidence/module.txt", "experiments/shadow-paging/evidence/module.txt"),
            ("evidence/../../secret", None),
            ("evidence/fork-off.json", "experiments/shadow-paging/evidence/fork-off.json"),
        )

    def test_every_emulator_is_named_once(self, shelf: Shelf) -> None:
        assert found(shelf, "exit-meter").emulators == ("QEMU 10.0.13, TCG",)


class TestDrawing:
    @given(st.floats(1e-9, 1e12), st.floats(1, 1e9))
    def test_a_logarithmic_axis_holds_both_ends_in_few_decades(self, low: float, ratio: float) -> None:
        axis = drawing.logarithmic(low, low * ratio)
        assert axis.ticks[0] <= low * (1 + 1e-6)
        assert axis.ticks[-1] >= low * ratio * (1 - 1e-6)
        assert 2 <= len(axis.ticks) <= 7
        assert 0 <= axis.at(low) <= axis.at(low * ratio) <= 100

    def test_each_decade_is_as_wide_as_the_next(self) -> None:
        axis = LogScale((1.0, 10.0, 100.0))
        assert [axis.at(value) for value in (0.1, 1, math.sqrt(10), 10, 100, 1e6)] == [0, 0, 25, 50, 100, 100]

    def test_bars_on_a_logarithmic_axis_are_not_filled(self, shelf: Shelf) -> None:
        figure = found(shelf, "exit-meter").figure
        assert isinstance(figure, Bars)
        assert not figure.filled
        assert [name for name, _, _ in figure.rows] == ["loop-with-exits", "loop-without-exits"]

    def test_bars_on_a_linear_axis_begin_at_0(self, shelf: Shelf) -> None:
        figure = found(shelf, "shadow-paging").figure
        assert isinstance(figure, Bars)
        assert figure.filled
        assert figure.axis.ticks[0] == 0
        assert "fork-faults-on" not in figure.names

    def test_a_measure_of_another_unit_is_not_on_the_axis(self, shelf: Shelf) -> None:
        one = found(shelf, "exit-meter").result
        figure = one.figure.model_copy(update={"measures": ("loop-with-exits", "exit-time")})
        drawn = drawing.draw(one.model_copy(update={"figure": figure}))
        assert isinstance(drawn, Bars)
        assert drawn.names == {"loop-with-exits"}

    def test_what_has_no_logarithm_is_drawn_from_0(self, shelf: Shelf) -> None:
        one = found(shelf, "exit-meter").result
        zero = one.measurements["loop-without-exits"].model_copy(update={"samples": (0.0, 1.0, 2.0)})
        measured = one.measurements | {"loop-without-exits": zero}
        drawn = drawing.draw(one.model_copy(update={"measurements": measured}))
        assert isinstance(drawn, Bars)
        assert drawn.filled

    def test_lines_go_from_left_to_right_and_up_is_more(self, shelf: Shelf) -> None:
        figure = found(shelf, "tlb").figure
        assert isinstance(figure, Lines)
        assert len(figure.series) == 2
        for one in figure.series:
            assert [point.across for point in one.points] == sorted(point.across for point in one.points)
            least, most = (pick(one.points, key=lambda point: point.y) for pick in (min, max))
            assert most.down < least.down
        assert isinstance(figure.across, LogScale)

    def test_nothing_measured_draws_nothing(self, shelf: Shelf) -> None:
        assert found(shelf, "iommu").figure is None
        one = found(shelf, "exit-meter").result
        assert drawing.draw(one.model_copy(update={"measurements": {}})) is None
        lines = found(shelf, "tlb").result
        assert drawing.draw(lines.model_copy(update={"tables": {}})) is None
        empty = {"steps": lines.tables["steps"].model_copy(update={"rows": ()})}
        assert drawing.draw(lines.model_copy(update={"tables": empty})) is None


def counted(name: str, **per_mb: float) -> CellResult:
    listed = tuple(ExitReason(code="0x7b", name=key, count=1, per_mb=value) for key, value in per_mb.items())
    return CellResult(id=name, spec=DomainSpec(), status="measured", exit_reasons=ExitReasons(reasons=listed))


class TestReasons:
    def test_a_bar_is_all_exits_of_its_cell(self, kvm: Run) -> None:
        seen = reasons.by_reason(kvm.cells)
        assert seen is not None
        assert [one.cell.id for one in seen.stacks] == ["e1000", "virtio-ept-off", "virtio", "vf"]
        for one in seen.stacks:
            assert sum(part.share for part in one.parts) == pytest.approx(100, abs=0.1)
            assert sum(part.per_mb for part in one.parts) == pytest.approx(one.total)

    def test_colours_go_to_what_weighs_most_and_the_rest_is_together(self) -> None:
        many = {f"reason{number}": 10.0 - number for number in range(9)}
        seen = reasons.by_reason([counted("a", **many)])
        assert seen is not None
        assert [name for name, _ in seen.legend] == [f"reason{number}" for number in range(6)]
        assert seen.stacks[0].parts[-1].name is None
        assert seen.stacks[0].parts[-1].per_mb == pytest.approx(4 + 3 + 2)

    def test_a_quiet_cell_has_colours_of_its_own(self) -> None:
        loud = {f"reason{number}": 1000.0 - number for number in range(7)}
        seen = reasons.by_reason([counted("loud", **loud), counted("quiet", hlt=0.5)])
        assert seen is not None
        assert seen.legend[0][0] == "hlt"

    def test_reasons_are_explained_where_their_codes_are_known(self, kvm: Run) -> None:
        seen = reasons.by_reason(kvm.cells)
        assert seen is not None
        assert all(meaning is not None for _, meaning in seen.legend)
        odd = counted("x", hlt=1.0).model_copy(
            update={
                "exit_reasons": ExitReasons(
                    extension="svm", reasons=(ExitReason(code="<b>", name="x", count=1, per_mb=1.0),)
                )
            }
        )
        strange = reasons.by_reason([odd])
        assert strange is not None
        assert strange.legend == (("x", None),)

    def test_counts_that_do_not_agree_are_told(self, kvm: Run) -> None:
        seen = reasons.by_reason(kvm.cells)
        assert seen is not None
        assert [cell.id for cell in seen.disagreeing] == ["vf"]

    def test_without_counts_there_is_no_figure(self) -> None:
        assert reasons.by_reason([counted("none")]) is None


def measured(*samples: float, unit: str = "Mbit/s") -> Measurement:
    return Measurement(unit=unit, samples=samples, median=sorted(samples)[len(samples) // 2])


NEEDED = {"virtio": {"vhost": "off"}, "vf": {"address": "auto"}}


def cell(model: Any, ran: dict[str, Any] | None = None, **metrics: Measurement) -> CellResult:
    return CellResult(
        id=model,
        spec=DomainSpec(nic=NicSpec.model_validate({"model": model, **NEEDED.get(model, {})})),
        ran={"accelerator": "kvm", **(ran or {})},
        status="measured",
        measurements=metrics,
    )


def judged(
    cells: list[CellResult], shelf: Shelf = kept.EMPTY, **environment: str
) -> dict[str, claims.CameOut]:
    one = Run(id="x", started="", cells=tuple(cells), environment=environment)
    return {out.claim.id: out for out in claims.judge(one, shelf)}


E1000 = cell(
    "e1000", tcp_to_guest=measured(100, 101, 99), mmio_exits_per_mb=measured(46, 47, 45, unit="1/MB")
)


class TestClaims:
    def test_every_claim_can_be_measured(self) -> None:
        """Metrics are those of a run, and measures those that the lab's experiments describe."""
        known = {one.id: one.description for one in description.find_all(LABS / "r202")}
        for claim in claims.read():
            for side in (claim.above, claim.below):
                if isinstance(side, OfCell):
                    assert side.metric in METRICS
                else:
                    assert isinstance(side, OfExperiment)
                    assert side.measure in known[side.experiment].measures

    @pytest.mark.parametrize(
        ("above", "verdict"),
        [((600, 610, 590), "holds"), ((200, 201, 199), "not"), ((200, 300, 400), "open")],
    )
    def test_a_claim_comes_out_as_it_does(self, above: tuple[float, ...], verdict: str) -> None:
        out = judged([E1000, cell("virtio", tcp_to_guest=measured(*above))])
        assert out["throughput-virtio"].verdict == verdict

    def test_one_round_decides_nothing(self) -> None:
        out = judged([E1000, cell("virtio", tcp_to_guest=measured(600))])["throughput-virtio"]
        assert out.verdict == "open"
        assert out.ratio is not None

    def test_no_exits_at_all_need_no_division(self) -> None:
        none = cell("vf", mmio_exits_per_mb=measured(0, 0, 0, unit="1/MB"))
        out = judged([E1000, none])["mmio-vf"]
        assert (out.verdict, out.ratio) == ("holds", None)
        both = judged([none, cell("e1000", mmio_exits_per_mb=measured(0, 0, 0, unit="1/MB"))])
        assert both["mmio-vf"].verdict == "open"

    def test_guests_on_shadow_page_tables_or_with_vhost_are_not_taken(self) -> None:
        shadow = cell("virtio", {"ept": "off"}, tcp_to_guest=measured(900, 900, 900))
        vhost = cell("virtio", {"vhost": "on"}, tcp_to_guest=measured(800, 800, 800))
        plain = cell("virtio", tcp_to_guest=measured(500, 500, 500))
        out = judged([E1000, shadow, vhost, plain])["throughput-virtio"]
        assert out.above is not None
        assert out.above.measured.median == 500

    def test_guests_under_tcg_prove_nothing(self, shelf: Shelf) -> None:
        other = cell("virtio", {"accelerator": "tcg"}, tcp_to_guest=measured(500, 500, 500))
        assert judged([E1000, other]) == {}
        out = judged([E1000, other], shelf)["throughput-virtio"]
        assert (out.verdict, out.cause) == ("unmeasured", "virtio did not run under KVM")

    def test_the_emulator_is_named(self) -> None:
        fast = cell("virtio", tcp_to_guest=measured(500, 500, 500))
        out = judged([E1000, fast], emulator="QEMU 10.0.13, TCG")["throughput-virtio"]
        assert out.where == "KVM (QEMU 10.0.13, TCG)"

    def test_what_was_not_measured_has_its_cause(self, shelf: Shelf) -> None:
        fast = cell("virtio", tcp_to_guest=measured(500, 500, 500)).model_copy(
            update={"not_measurable": {"mmio_exits_per_mb": "no counters"}}
        )
        out = judged([E1000, fast])
        assert (out["mmio-virtio"].verdict, out["mmio-virtio"].cause) == ("unmeasured", "no counters")
        assert out["mmio-vf"].cause == "no cell of this run has a NIC vf"
        assert out["fork-time"].cause == "the experiment shadow-paging was not run"
        one = found(shelf, "shadow-paging").result
        broken = Shelf((Kept(one.model_copy(update={"status": "error", "cause": "it broke"})),))
        assert judged([E1000, fast], broken)["fork-time"].cause == "shadow-paging: it broke"

    def test_the_fork_loop_is_judged_by_its_experiment(self, shelf: Shelf) -> None:
        out = judged([], shelf)
        assert (out["fork-time"].verdict, out["fork-exits"].verdict) == ("holds", "holds")
        assert out["fork-time"].where == "QEMU 10.0.13, TCG"

    def test_an_emulator_is_never_compared_with_hardware(self, shelf: Shelf) -> None:
        one = found(shelf, "shadow-paging").result
        real = one.measurements["fork-time-on"].model_copy(update={"emulator": None})
        mixed = one.model_copy(update={"measurements": one.measurements | {"fork-time-on": real}})
        out = judged([], Shelf((Kept(mixed),)))["fork-time"]
        assert (out.verdict, out.cause) == (
            "unmeasured",
            "its two sides were measured on different processors",
        )

    def test_a_run_without_any_of_it_says_nothing(self) -> None:
        assert judged([cell("rtl8139", tcp_to_guest=measured(1, 2, 3))]) == {}


class TestChapters:
    def test_processor_memory_devices_in_the_order_in_which_they_were_done(self, shelf: Shelf) -> None:
        told = chapters.tell(shelf.kept, memory=False, devices=False)
        assert [(one.name, [two.result.experiment for two in one.kept]) for one in told] == [
            ("processor", ["ps", "exit-meter"]),
            ("memory", ["shadow-paging", "tlb"]),
            ("devices", ["iommu", "lock"]),
        ]

    def test_a_chapter_without_anything_is_left_out(self) -> None:
        assert [one.name for one in chapters.tell((), memory=False, devices=True)] == ["devices"]


@pytest.fixture(scope="module")
def tree(kvm: Run, shelf: Shelf) -> html.HtmlElement:
    emulated = kvm.model_copy(update={"environment": {**kvm.environment, "emulator": "QEMU 10.0.13, TCG"}})
    text = html_text(emulated, shelf=shelf)
    return html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))


class TestPage:
    def test_chapters_come_in_the_tds_order(self, tree: html.HtmlElement) -> None:
        titles = tree.xpath("//article[@lang='fr']/section[contains(@class, 'chapter')]/h2/text()")
        assert titles == ["Le processeur", "La mémoire", "Les périphériques"]
        assert tree.xpath("//article[@lang='en']//nav/a/@href") == [
            "#en-claims",
            "#en-processor",
            "#en-memory",
            "#en-devices",
        ]

    def test_the_emulator_is_named_loudly(self, tree: html.HtmlElement) -> None:
        (said,) = tree.xpath("//article[@lang='en']/header/div[@role='note']")
        assert "imitated by QEMU 10.0.13, TCG" in said.text_content()
        assert "never with those of hardware" in said.text_content()
        assert "their code ran on the processor itself" not in tree.text_content()

    def test_ids_are_unique_and_links_stay_in_the_runs_folder(self, tree: html.HtmlElement) -> None:
        ids = tree.xpath("//@id")
        assert len(ids) == len(set(ids))
        for link in tree.xpath("//a/@href"):
            assert link[1:] in ids if link.startswith("#") else link.startswith("experiments/")
            assert ".." not in link
            assert ":" not in link

    def test_what_was_not_measured_has_cause_and_remedy(self, tree: html.HtmlElement) -> None:
        (section,) = tree.xpath("//article[@lang='en']//section[h3='IOMMU groups']")
        said = " ".join(section.text_content().split())
        assert "skipped iommu: no IOMMU groups on this host" in said
        assert "boot with intel_iommu=on" in said

    def test_every_plot_has_a_name_and_each_claim_a_verdict(self, tree: html.HtmlElement) -> None:
        assert all(plot.xpath("string(title)").strip() for plot in tree.xpath("//svg[@role='img']"))
        assert len(tree.xpath("//article[@lang='en']//section[@id='en-claims']//li")) == len(claims.read())

    def test_repeatability_is_shown(self, tree: html.HtmlElement) -> None:
        assert "vary by at most 2.2 % (virtio-ept-off" in tree.text_content().replace("\u00a0", " ")

    def test_what_came_from_others_is_inert(self, kvm: Run, tmp_path: Path) -> None:
        hostile = "</p><script>alert(1)</script> {{ 7*7 }} `<b>` \u202e"
        text = (DATA / "experiments/ps/experiment.json").read_text(encoding="utf-8")
        data = json.loads(text)
        data |= {"experiment": hostile, "host": hostile, "emulator": hostile, "status": "error"}
        data |= {"cause": hostile, "remedy": hostile, "evidence": [hostile, "javascript:alert(1)"]}
        data |= {"look_at": {"fr": hostile, "en": hostile}, "title": {"fr": hostile, "en": hostile}}
        data["tables"]["threads"]["rows"][0][1] = hostile
        (tmp_path / "experiments/x").mkdir(parents=True)
        (tmp_path / "experiments/x/experiment.json").write_text(json.dumps(data), encoding="utf-8")
        page = html.document_fromstring(html_text(kvm, shelf=kept.find(tmp_path)))
        assert not page.xpath("//script")
        assert not page.xpath("//main//p/b[normalize-space()='']")
        assert not [link for link in page.xpath("//a/@href") if "script" in link]
        assert "\u202e" not in page.text_content()


def test_an_experiment_alone_has_a_page_beside_its_evidence(shelf: Shelf, tmp_path: Path) -> None:
    page = report.write_experiment(found(shelf, "tlb").result, tmp_path, lang="fr")
    assert page == tmp_path / "report.html"
    tree = html.document_fromstring(page.read_bytes())
    (told,) = tree.xpath("//article[@lang='fr']//section[contains(@class, 'chapter')]/h2/text()")
    assert told == "La mémoire"
    assert tree.xpath("//a/@href") == ["evidence/page-walk.json"] * 2
    assert "Aucun débit" not in tree.text_content()
