# make demo | test | test-slow | mutants | lint | docs | axe | bench | pictures | hub | dist | clean   (everything is installed into .venv)
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

MINIATURE ?= build/miniature

.PHONY: miniature demo test test-slow mutants lint docs axe bench pictures hub dist clean

demo: $(STAMP)
	$(BIN)/t2vid demo --out demo

test: $(STAMP)
	$(BIN)/python -m pytest -q -n auto --dist loadfile

test-slow: $(STAMP)
	$(BIN)/python -m pytest -q -m slow

# Nightly, not for every change: breaks the code of some rooms ([mutmut] in setup.cfg) and counts what no test sees.
mutants: $(STAMP)
	$(BIN)/mutmut run
	$(BIN)/mutmut results

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The site, into build/site; it opens from the disk, without a network.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(STAMP)
	for script in render decode judge mix insight train_step; do $(BIN)/python benchmarks/$$script.py || exit 1; done

# All that come from what is in the repository, with the same bytes; the last needs fonts, and says which.
pictures: $(STAMP)
	$(BIN)/python benchmarks/pictures.py
	$(BIN)/python benchmarks/miniature.py report --out build/no-runs
	$(BIN)/python benchmarks/text_sheets.py

# Every page in Chromium with axe-core, which npm fetches; not for every change.
axe: docs
	$(BIN)/python benchmarks/axe.py

# Wheel and source archive; the version is that of src/t2vid/_version.py.
dist: $(STAMP)
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist
	$(BIN)/python -c "import glob, zipfile; print(sum(i.file_size for i in zipfile.ZipFile(glob.glob('dist/*.whl')[0]).infolist()), 'bytes in the wheel')"

# Tables 1-3 with five seeds, the studies with two, on two bases; run again after a stop, it goes on.
miniature: $(STAMP)
	$(BIN)/python benchmarks/miniature.py arms --out $(MINIATURE)
	$(BIN)/python benchmarks/miniature.py pretrain --out $(MINIATURE)/64-wide --hidden 64
	$(BIN)/python benchmarks/miniature.py studies --out $(MINIATURE)
	$(BIN)/python benchmarks/miniature.py data --out $(MINIATURE)
	$(BIN)/python benchmarks/miniature.py report --out $(MINIATURE)

# The repositories of t2vid's names, for whoever has not installed it; `make hub UPLOAD=--upload` sends them.
hub: $(STAMP)
	$(BIN)/python -m t2vid.publishing.repositories build/hub $(UPLOAD)

clean:
	rm -rf .venv demo build dist src/*.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis

# torch first and alone: a looser request would fetch gigabytes of CUDA packages.
$(STAMP): setup.cfg constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade setuptools -c constraints.txt
	$(BIN)/python -m pip install -q torch==2.13.0 -c constraints.txt
	$(BIN)/python -m pip install -q -e ".[dev]" -c constraints.txt
	touch $(STAMP)
