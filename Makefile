# Shortcuts only: every target is a script that works without make.
.PHONY: demo test ci stubs bench
demo: ; scripts/demo
test: ; scripts/test
ci: ; .ci/run
stubs: ; scripts/generate_stubs
bench: ; scripts/bench optimize
