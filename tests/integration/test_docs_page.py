"""The page /docs, as a person sees it in a browser."""

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.listening_page import browser, watch_mistakes
from tests.e2e.model_page import needs_chromium
from tests.integration.conftest import ApiProcess

FILES = "#operations-datasets-add_files_v1_datasets__dataset_id__files_post"
JOBS = "#operations-jobs-create_job_v1_jobs_post"


@needs_chromium
def test_it_has_a_button_for_files_and_examples_that_are_real(api: ApiProcess, tmp_path: Path):
    with browser(tmp_path) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        mistakes = watch_mistakes(page)
        page.goto(f"{api.url}/docs")
        files, jobs = page.locator(FILES), page.locator(JOBS)
        files.locator(".opblock-summary-control").click()
        files.get_by_role("button", name="Try it out").click()
        if not files.locator("input[type=file]").count():
            files.get_by_role("button", name="Add").click()
        expect(files.locator("input[type=file]")).to_have_count(1)
        jobs.locator(".opblock-summary-control").click()
        expect(jobs.locator(".opblock-section-request-body")).to_contain_text('"base_model": "whisper-tiny.en"')
        assert not mistakes, mistakes
