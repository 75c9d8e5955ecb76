# Each target makes its environment first; none needs an activated shell. Logic lives in tools/.
PYTHON ?= python3
PORT ?= 8000
SAMPLE ?= 60
MINUTES ?= 10
# One thread a process: the same numbers on any machine, and no threads waiting for each other where
# other work runs beside (matrices of a few thousand rows take 8 times longer then).
ONE = OMP_NUM_THREADS=1
PYTEST = $(ONE) .venv/bin/python -m pytest
# The house rules that no chapter names, as tests/book/test_templates.py runs them.
HOUSE = files_of_one_name or chapter_or_shared or circle or downward or defined_once or folders or star or short
NBVAL = --nbval --nbval-current-env --nbval-cell-timeout=600 --nbval-sanitize-with tests/book/nbval_sanitize.cfg
# A checkout that was copied with its environment: that one imports the other folder's code.
ifneq ($(shell sed -n 2p .venv/stamp 2>/dev/null),$(CURDIR))
.PHONY: .venv/stamp
endif

.PHONY: book pdf record zip check chapter paper-data test test-slow test-sample test-portable nightly power drift mutants test-triton gpu test-pages notebooks serve lab bench lock clean

book: .venv/stamp   ## the pages, in _build/html
	$(ONE) .venv/bin/jupyter-book build . -W --keep-going -n --all

test: .venv/stamp   ## all checks of minutes: units, doctests, house rules, notebooks
	$(PYTEST) -n auto --dist loadfile -m "not slow and not browser" $(NBVAL) tests lib book/notebooks

test-slow: .venv/stamp   ## the long statistical checks
	$(PYTEST) -n auto --dist loadfile -m "slow and not browser" tests

test-portable: .venv/stamp   ## everything again, as other processors and thread counts would
	.venv/bin/python tools/portable.py

nightly: .venv/stamp   ## what takes too long for every change
	$(MAKE) test-slow test-portable power

power: .venv/stamp   ## how often each claim's check is right, over 20 seeds: hours, continues when stopped
	$(ONE) .venv/bin/python tools/power.py $(STEM)

drift: .venv/stamp   ## every claim's fresh value beside the record: make drift STEM=kramers_escape
	$(ONE) .venv/bin/python tools/drift.py $(STEM)

mutants: .venv/stamp   ## do the tests notice a changed operator? make mutants STEM=kramers_escape SAMPLE=20
	.venv/bin/python -m pip install --quiet --constraint requirements.lock --editable ".[mutants]"
	$(ONE) .venv/bin/python tools/mutants.py $(STEM) --sample $(SAMPLE)

test-sample: .venv/stamp   ## of the long checks what fits beside every change; make nightly has all
	$(PYTEST) -n auto --dist loadfile -m "slow and not browser" --sample \
	  tests/core/test_engines.py tests/underdamped_langevin tests/modified_loss

test-triton: .venv/stamp   ## the GPU kernels, by Triton's interpreter where there is no GPU
	.venv/bin/python -m pip install --quiet --constraint requirements.lock --editable ".[triton]"
	$(PYTEST) -n auto -m "not slow and not browser" tests/core/test_*triton*.py

gpu: .venv/stamp   ## all that wants a graphics card; without one: make gpu OPTIONS="--device cpu --tiny"
	.venv/bin/python -m pip install --quiet --constraint requirements.lock --editable ".[triton]"
	$(ONE) .venv/bin/python tools/gpu.py --minutes $(MINUTES) $(OPTIONS)

test-pages: .venv/stamp   ## the built pages in a browser; needs make book and Chromium
	$(PYTEST) -n auto --dist loadgroup -m browser tests/book

pdf: .venv/stamp   ## the whole book as one PDF beside the pages; needs make book and Chromium
	.venv/bin/python tools/pdf.py

record: .venv/stamp   ## a small picture of every page, to be looked at; needs make book and Chromium
	.venv/bin/python tools/record.py $(OPTIONS)

zip: .venv/stamp   ## the pages as one file that opens from disk; needs make book
	.venv/bin/python tools/archive.py

check: .venv/stamp   ## one chapter in two minutes: make check STEM=kramers_escape
	$(if $(STEM),,$(error STEM must name a chapter: make check STEM=kramers_escape))
	$(PYTEST) -n auto --dist loadfile -m "not slow and not browser" $(NBVAL) \
	  tests/$(STEM) lib/sgdescape/$(STEM) book/notebooks/$(STEM).ipynb
	$(PYTEST) -n auto -m "not slow and not browser" tests/book/test_house.py tests/book/test_notebooks.py \
	  tests/book/test_chapters.py tests/book/test_interface.py -k "$(STEM) or $(HOUSE)"

chapter: .venv/stamp   ## a new chapter from book/_templates: make chapter STEM=my_chapter
	.venv/bin/python tools/new_chapter.py $(STEM)

notebooks: .venv/stamp   ## book/notebooks from book/chapters, executed
	$(ONE) .venv/bin/python tools/notebooks.py $(STEM)

paper-data: .venv/stamp   ## MNIST, Fashion-MNIST and CIFAR-10 in full, for --scale paper
	.venv/bin/python tools/paper_data.py

serve: .venv/stamp   ## the built pages at a loopback address
	.venv/bin/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

lab: .venv/stamp   ## JupyterLab with the package installed
	.venv/bin/python -m jupyter lab --notebook-dir=book

bench: .venv/stamp   ## speed and memory against public peers
	.venv/bin/python -m pip install --quiet --constraint requirements.lock --editable ".[bench]"
	for script in benchmarks/*.py; do $(ONE) .venv/bin/python $$script || exit 1; done

lock:   ## requirements.lock anew
	tools/lock.sh $(PYTHON)

clean:   ## everything that was made
	rm -rf .venv _build

.venv/stamp: requirements.lock pyproject.toml tools/setup.py
	$(PYTHON) tools/setup.py
