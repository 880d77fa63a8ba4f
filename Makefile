.PHONY: demo test test-clients tables check bench clean

# The emulated notebook instances on this machine, from terraform apply to the answer.
demo:
	@tests/set-up.sh demo
	@PYTHONPATH=tests .venv/bin/python -m demo

# Everything that is checked: format, types, and all layers of tests, on two cores.
test:
	@tests/set-up.sh test
	@$(MAKE) --no-print-directory check
	.venv/bin/pytest -n 2 --dist loadfile --basetemp .cache/tests $(PYTEST_ARGS)

# The clients that have to be built first (Go, Java, Rust, Hadoop), each where its toolchain is there.
test-clients:
	@tests/set-up.sh test
	.venv/bin/pytest -n 0 --basetemp .cache/tests-clients --override-ini "timeout=1800" -m toolchain tests/imds $(PYTEST_ARGS)

# Writes the tables of inputs, outputs and options from the code, and those in docs/changes.md, docs/clients.md and
# docs/threat-model.md from what the tests see.
tables:
	@tests/set-up.sh test
	WRITE_TABLES=1 .venv/bin/pytest -n 0 --basetemp .cache/tests-clients --override-ini "timeout=1800" -m "toolchain or not toolchain" \
		tests/imds/test_clients.py tests/imds/test_built_clients.py tests/imds/test_faults.py tests/imds/test_regions.py \
		tests/attacks tests/iam_attacks tests/module/test_changes.py tests/harness/test_reference.py

# All that is checked without running anything: tools/check.py has the list. CHECKS="mypy shfmt" runs those alone.
check:
	@tests/set-up.sh test
	@tools/checkers.sh
	@.venv/bin/python tools/check.py $(CHECKS)

# which-notebook beside its peers; some minutes, and 2 GB below .cache.
bench:
	@tests/set-up.sh bench
	@.venv/bin/python bench/run.py $(BENCH_ARGS)

clean:
	rm -rf .venv .cache tests/emulator/iam_judge/node_modules tests/clients/js/node_modules tests/clients/*/build
