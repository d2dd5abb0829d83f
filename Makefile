# A menu, not a program: every recipe calls a tool or a script that can be read on its own.

SHELL := bash
CACHE := $(or $(TUO_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/technical-user-operator)
DENY  := $(CACHE)/tools/bin/cargo-deny
ENVIRONMENT ?= btp

.PHONY: help demo run check test contract all-but-contract bench generate control-plane kwok uaa scim readers deny image e2e

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## The main job, shown: ENVIRONMENT=btp (default), or any other story of examples/demo (uaa is a real UAA; needs Java and Maven)
	@ENVIRONMENT=$(ENVIRONMENT) examples/demo.sh

run: ## The quick start, left running with its KUBECONFIG printed, until Ctrl-C
	@examples/demo.sh run

check: deny ## Formatting, lints, licences and bans, generated files
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --test e2e -- -D warnings # which is not among all targets, since it needs a node
	$(DENY) --workspace check --hide-inclusion-graph bans licenses sources
	cargo test --quiet --test house

test: check control-plane kwok uaa scim readers ## Everything that needs no root; CI runs it, and e2e after it
	cargo test --workspace --no-run
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target contract all-but-contract
	cargo test --bench operator

# The contract waits more than it works: for pauses that a platform asks for, and for answers that never come.
contract:
	cargo test --test contract -- --test-threads 8

# So do the stories, for the operator and for each other: those that kill it have two control planes between them.
all-but-contract:
	cargo test --workspace --lib --bins --test house --test contracts --test laws
	cargo test --test stories -- --test-threads 4
	cargo test --workspace --doc

bench: control-plane ## Measures, and writes target/bench
	cargo bench --bench operator

generate: ## Writes the custom resource definitions and the page of what works where anew
	cargo run --quiet --bin crdgen crds docs/what-works-where.md

control-plane: ## Builds etcd, kube-apiserver, kubectl and helm, once for this machine
	@tests/control-plane/build.sh > /dev/null

kwok: ## Builds kwok, whose pods the stories of rollouts watch, once for this machine
	@tests/kwok/build.sh > /dev/null

uaa: ## Fetches a real UAA, once for this machine; says so where Java or Maven is missing
	@tests/uaa/build.sh > /dev/null || echo "going on without a real UAA"

scim: ## Installs the SCIM compliance check, once for this machine; says so where Python is missing
	@tests/scim/build.sh > /dev/null || echo "going on without the SCIM compliance check"

readers: ## Installs SAP's own readers of a Secret, once for this machine; says so where Node.js or Java is missing
	@tests/readers/build.sh > /dev/null || echo "going on without SAP's own readers"

deny: $(DENY)

$(DENY):
	cargo install cargo-deny --locked --version 0.20.2 --root $(CACHE)/tools

image: ## The operator's image, in target/image: by docker, podman or buildah, else (or with ENGINE=none) without any of them
	@image/build.sh

e2e: ## The image in pods of a real node, with workloads that may not notice anything; needs root on Linux, says so otherwise
	@tests/node/e2e.sh
