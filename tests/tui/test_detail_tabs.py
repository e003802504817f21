"""The tabs of the details that tell of the schema and of what happened."""

from __future__ import annotations

from tui.terminal import ROOT, WIDE, Terminal, drive, sample

from inspector.tui.browse.details import Details


def lines(terminal: Terminal, tab: str) -> list[str]:
    return ["".join(text for _, text in line) for line in terminal.browser.details_of(tab)]


async def show(terminal: Terminal, tab: str) -> None:
    await terminal.click(tab)


def test_the_schema_of_the_field_under_the_cursor():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j")
        await show(terminal, "Schema")
        await terminal.press("2", "j", "j")
        text = lines(terminal, "schema")
        assert text[0].startswith("Type vision.v1.PredictRequest  in vision/v1/prediction.proto, from ")
        assert text[1] == "Field common.v1.RequestContext.locale"
        assert text[2].startswith("// BCP 47 tag")
        assert text[3] == "string locale = 2;"
        assert "▸   string locale = 2;" in text
        assert "  message RequestContext {" in text
        shown = terminal.text()
        assert "Field common.v1.RequestContext.locale" in shown
        await terminal.press("g")
        assert "Field vision.v1.PredictRequest.context" in terminal.text()

    drive([sample("predict.pcapng")], steps)


def test_entries_of_maps_are_declared_by_their_map():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "colon", *"context", "full_stop", *"tags", "enter", "2", "l")
        assert lines(terminal, "schema")[1] == "Field common.v1.RequestContext.tags"
        assert "▸   map<string, string> tags = 6;" in lines(terminal, "schema")

    drive([sample("predict.pcapng")], steps)


def test_without_a_schema_a_type_is_inferred():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "j", "j")
        text = lines(terminal, "schema")
        assert text[0].startswith("Type PredictRequest  inferred of 3 messages")
        assert "add a schema" in text[0]
        assert text[3] == "optional string field_2 = 2;"
        await terminal.press("t", "b")
        assert lines(terminal, "schema")[3] == "optional bytes field_2 = 2;"

    drive([sample("predict.pcapng", schema=False)], steps)


def test_the_log_tells_what_was_passed_over_and_what_is_damaged():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("colon", "1", "0", "enter", *["right_square_bracket"] * 6)
        await show(terminal, "Log")
        text = lines(terminal, "log")
        assert text[0] == "What it holds"
        assert "  10 calls" in text
        gap = next(line for line in text if "message_gap" in line)
        assert "1 × message_gap" in gap
        assert "call 10" in gap
        assert any(
            line.endswith("call 10 response message 3: bytes of this message are not in the capture") for line in text
        )
        assert "What happened" in text

    drive([sample("truncated.pcapng")], steps)


def test_the_log_tells_what_happened_in_the_program(monkeypatch, tmp_path):
    protos = ROOT / "protos"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "api").symlink_to(protos)

    async def steps(terminal: Terminal) -> None:
        await terminal.press("slash", *"Predict", "enter", "slash", *["backspace"] * 7, "enter")
        await terminal.press("a", *"api", "enter")
        await terminal.app.run_action("export")
        text = "\n".join(lines(terminal, "log"))
        order = [
            text.index(each)
            for each in ("filter: Predict", "no filter", "schema api was added", "the screen was saved in")
        ]
        assert order == sorted(order)
        assert "read to its end" in text
        assert "filter: Pred\n" not in text
        assert terminal.browser.query_one(Details)

    drive([sample("predict.pcapng", schema=False)], steps, WIDE)
