.DEFAULT_GOAL := help
.PHONY: help demo sandbox quick test test-clients tables check bench clean

PYTEST = .venv/bin/pytest --basetemp .cache/tests
# Three times the processors: many tests wait, for a session to end or a service to come back.
WORKERS ?= 6
# What was compiled, and pytest's rewritten assertions, serve all workers and commands, also where the environment forbids it.
unexport PYTHONDONTWRITEBYTECODE

help: ## This list.
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r target what; do \
		printf '  make %-13s %s\n' "$$target" "$$what"; done

demo: ## The emulated notebook instances on this machine, from terraform apply to the answer.
	@tools/set-up.sh demo
	@PYTHONPATH=tests:tests/support .venv/bin/python tools/demo.py

sandbox: ## An emulated account for trials of your own, until Ctrl-C.
	@tools/set-up.sh test
	@PYTHONPATH=tests:tests/support .venv/bin/python tools/sandbox.py

quick: ## The checks of code, the parsed HCL, the unit tests of which-notebook. No emulated account, nothing heavy.
	@tools/set-up.sh test
	@.venv/bin/python tools/check.py --installed
	$(PYTEST) -n 2 -m 'not toolchain and not emulated and not heavy' $(PYTEST_ARGS) \
		tests/which_notebook tests/module/test_hcl.py tests/module/test_provider_versions.py tests/module/test_documented_sources.py

test: ## All layers of tests; format and types beside them.
	@tools/set-up.sh test
	@# The checks beside the tests, in the time in which those wait; what they say comes last.
	@nice -n 15 .venv/bin/python tools/check.py --installed >.cache/checks.log 2>&1 & checks=$$!; \
	trap 'kill $$checks; exit 130' INT TERM; \
	tests=0; $(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS) || tests=$$?; \
	checked=0; wait $$checks || checked=$$?; cat .cache/checks.log; exit $$((tests || checked))

test-clients: ## What has to be built or fetched first: clients (Go, Java, Rust, Hadoop) and Trino, where their toolchains are there.
	@tools/set-up.sh test
	.venv/bin/pytest -n 0 --basetemp .cache/tests-clients --override-ini "timeout=1800" -m toolchain tests/notebook/imds tests/which_notebook/engines $(PYTEST_ARGS)

tables: ## Writes the tables in docs/: inputs, outputs and options from the code, the others from what the tests see.
	@tools/set-up.sh test
	WRITE_TABLES=1 .venv/bin/pytest -n 0 --basetemp .cache/tests-clients --override-ini "timeout=1800" -m "toolchain or not toolchain" \
		tests/notebook/imds/test_clients.py tests/notebook/imds/test_built_clients.py tests/notebook/imds/test_faults.py tests/notebook/imds/test_regions.py \
		tests/notebook/on_start/test_recall.py tests/notebook/attacks tests/iam_attacks tests/module/test_changes.py tests/module/test_many_notebooks.py \
		tests/module/test_athena.py::test_the_view_is_the_query_that_the_command_prints tests/harness/test_reference.py tests/harness/test_scale.py \
		tests/which_notebook/test_tables.py tests/which_notebook/test_shapes.py::test_the_document_has_each_shape

check: ## All static checks, checkov, tflint and actionlint too. CHECKS="mypy shfmt" runs those alone.
	@tools/set-up.sh test
	@tools/checkers.sh $(CHECKS)
	@.venv/bin/python tools/check.py $(CHECKS)

bench: ## which-notebook and the module beside their peers; an hour, and 2 GB below .cache. BENCH_ARGS="--only notebooks" runs a part.
	@tools/set-up.sh bench
	@.venv/bin/python bench/run.py $(BENCH_ARGS)

clean: ## Removes what all of these and terraform init made; no Terraform state.
	rm -rf .venv .cache tests/emulator/iam_judge/node_modules tests/clients/js/node_modules tests/clients/*/build
	find . -name __pycache__ -prune -exec rm -rf {} +
	for root in . modules/* examples/* tests/consumer; do rm -rf $$root/.terraform $$root/.terraform.lock.hcl; done
