# Installs the program with its man pages and completions, which cargo cannot do, and lists other common tasks.

PREFIX ?= /usr/local
DESTDIR ?=
# Names to install solekey under as a drop-in replacement, such as "age age-keygen age-inspect". Empty by default.
LINKS ?=
# The program to install.
PROGRAM ?= target/release/solekey

BIN = $(DESTDIR)$(PREFIX)/bin
SHARE = $(DESTDIR)$(PREFIX)/share
BASH = $(SHARE)/bash-completion/completions
ZSH = $(SHARE)/zsh/site-functions
FISH = $(SHARE)/fish/vendor_completions.d
PAGES = $(notdir $(wildcard man/*.1 man/*.5))

.PHONY: build install uninstall check bench torture deb

build:
	cargo build --locked --release

# Does not build: installing often needs root, and building should not run as root.
install:
	@test -x $(PROGRAM) || { echo "there is no $(PROGRAM): run make build first" >&2; exit 1; }
	install -d $(BIN) $(BASH) $(ZSH) $(FISH) $(SHARE)/man/man1 $(SHARE)/man/man5
	install -m 755 $(PROGRAM) $(BIN)/solekey
	install -m 644 man/*.1 $(SHARE)/man/man1
	install -m 644 man/*.5 $(SHARE)/man/man5
	install -m 644 completions/solekey.bash $(BASH)/solekey
	install -m 644 completions/_solekey $(ZSH)/_solekey
	install -m 644 completions/solekey.fish $(FISH)/solekey.fish
	for link in $(LINKS); do ln -s solekey $(BIN)/$$link || exit 1; done

# Removes links only if they point to solekey.
uninstall:
	for link in age age-keygen age-inspect rage rage-keygen; do \
	    if [ "$$(readlink $(BIN)/$$link)" = solekey ]; then rm $(BIN)/$$link; fi; done
	rm -f $(BIN)/solekey $(BASH)/solekey $(ZSH)/_solekey $(FISH)/solekey.fish
	cd $(SHARE)/man && rm -f $(patsubst %.1,man1/%.1,$(patsubst %.5,man5/%.5,$(PAGES)))

check:
	.ci/check

bench:
	cargo bench --locked --package solekey-benches
	bench/compare.sh

torture:
	tests/torture/run --long

deb:
	packaging/deb/try
