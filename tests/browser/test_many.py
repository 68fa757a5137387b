"""Several images at once, in Chromium."""

import csv
import shutil

from playwright.sync_api import expect

from ui.common.sketchpad import sample


def choose(page, *files):
    """Open the fold and choose files."""
    page.locator("#many details").first.evaluate("each => (each.open = true)")
    page.locator("#many input[type=file]").set_input_files(files)


def test_several_images_and_a_zip_of_them_get_a_table_an_accuracy_and_a_csv(page, tmp_path):
    folder = tmp_path / "digits"
    folder.mkdir()
    for number in range(20):
        shutil.copy(sample("mnist", number % 10), folder / f"{number % 10}_{number:02}.png")
    shutil.copy(sample("mnist", 3), folder / "8_wrong.png")
    (folder / "9_damaged.png").write_bytes(b"no image")
    files = sorted(folder.iterdir())
    for chosen in (files, [shutil.make_archive(str(folder), "zip", folder)]):
        choose(page, *chosen)
        rows, summary = page.locator("#many .many-rows tbody tr"), page.locator("#many .many-summary")
        expect(summary).to_contain_text("Images: 22; refused: 1;")
        expect(rows).to_have_count(22)
        expect(summary.locator("tr", has_text="Mini ResNet").first).to_contain_text("20 / 21")
        expect(rows.filter(has_text="8_wrong").locator(".many-wrong")).to_have_count(6)
        expect(rows.filter(has_text="9_damaged")).to_contain_text("not an image of a known format")
        expect(page.locator("#many progress")).to_be_hidden()
        with page.expect_download() as download:
            page.locator("#many .save button").click()
        table = list(csv.DictReader(download.value.path().open(encoding="utf-8-sig")))
        assert len(table) == 22 and {row["lenet5.mnist"] for row in table if row["Label"] == "7"} == {"7"}
        confidences = [row["lenet5.mnist confidence"] for row in table]
        assert confidences.count("") == 1 and all(0.1 <= float(each) <= 1 for each in confidences if each)
        assert {row["Agree"] for row in table if row["Label"] == "7"} == {"5"}
    page.locator(".language label", has_text="中文").click()
    expect(summary).to_contain_text("图像：22；被拒绝：1；")
    expect(page.locator("#many .many-rows thead")).to_contain_text("投票")


def test_what_cannot_be_compared_gets_a_sentence(page, tmp_path):
    (tmp_path / "no.zip").write_bytes(b"no zip")
    choose(page, tmp_path / "no.zip")
    expect(page.locator("#many [role=status]").first).to_contain_text("neither a folder nor a whole zip")
    expect(page.locator("#many progress")).to_be_hidden()
