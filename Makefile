.PHONY: test
test:
	cargo test --all-features
