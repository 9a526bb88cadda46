# make run     build icouch and show a practice with four invented people
# make test    everything that is checked, on SQLite and on PostgreSQL
# make check   what review asks for besides
.PHONY: run build test check generate fuzz vet race steps postgres e2e

export CGO_ENABLED = 0
export GOFLAGS = -tags=nodynamic
tool = go tool -modfile=tools/go.mod

# The packages with tests of their own on a database.
databases = ./internal/platform/db/... ./internal/platform/jobs/... ./internal/platform/keys/... ./internal/platform/limit/... ./internal/platform/installation/... ./internal/audit/... ./internal/letter/... ./internal/account/... ./internal/people/... ./internal/chat ./internal/team ./internal/contact ./internal/joint ./internal/recovery ./internal/trail ./internal/support ./internal/cli/... ./internal/web/...

# Tests that go one long way step by step: the race detector would see nothing in
# them and make them ten times slower, or a machine for WebAssembly that they start.
# And two that measure memory, of which the detector takes some. Each is in one of
# these packages.
steps = ^(TestMatrix.*|TestNoDoorTakesLongerForAKnownAddress|TestTheCountsAreTrueWhateverHappens|TestCanariesLeaveByNoBackDoor|FuzzForms|TestTheInvitationKeepsToItsModel|TestABookThatFollowsChangesSaysWhatANewOneSays|TestTheDirectoryAgreesWithTheDatabase|TestTamperingIsFoundWhereverItIs|TestNothingPersonalStandsInTheDatabase|TestAPictureTakesNoMoreMemoryThanIsReckoned|TestAnOpenPageHoldsLittle|TestAPhotographIsCopiedUprightAndWithoutItsPlace|TestWhoseFaultItIsThatThereIsNoPicture|TestNoPictureBringsTheLibraryDown)$$
stepping = ./internal ./internal/web ./internal/people/... ./internal/audit ./internal/platform/media/...

run: build
	./icouch demo

build:
	go build -trimpath -ldflags='-s -w' -o icouch ./cmd/icouch

test: vet race steps postgres e2e

vet:
	@unformatted=$$(git ls-files -z '*.go' | xargs -0 gofmt -l); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	go vet ./...

# On SQLite. The race detector needs cgo; the program does not. SQLite itself, C
# turned into Go, is not watched: watching each of its steps made the tests ten
# times slower. It has no generic code; what has must be watched, or its own
# copies of that code, unwatched, take the place of everybody's.
race:
	script/need chromium gcc oathtool
	CGO_ENABLED=1 go test -timeout=40m -race -gcflags='modernc.org/sqlite/lib=-race=false' -shuffle=on -skip='$(steps)' $$(go list ./... | grep -v /e2e)

steps:
	go test -timeout=40m -shuffle=on -run='$(steps)' $(stepping)

# Again on PostgreSQL.
postgres:
	script/need postgresql oathtool
	script/with-postgres go test -timeout=40m -shuffle=on $(databases)

# Journeys in a real browser, if there are any yet.
e2e:
	@if [ -d e2e ]; then script/need chromium && go test -timeout=60m -shuffle=on ./e2e/...; fi

# A part of a page is a function that returns one closure. Put in wherever it is
# called, it made each page compile all the parts in it anew: five times the work.
generate:
	$(tool) sqlc generate
	$(tool) templ generate -path internal/web
	find internal/web -name '*_templ.go' -exec sed -i 's|^func .* templ.Component {$$|//go:noinline\n&|' {} + -exec gofmt -w {} +
	go test ./internal/access -run TestThePageOfRoles -update

check: generate
	git diff --exit-code
	@if grep -q honnef.co/go/tools tools/go.mod; then $(tool) staticcheck ./...; else echo "staticcheck is not among the tools"; fi
	$(MAKE) test

# A minute for each of whatever parses what strangers send.
fuzz:
	@grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
		grep -o '^func Fuzz[A-Za-z0-9_]*' "$$file" | cut -c6- | while read -r name; do \
			go test -run=NONE -fuzz="^$$name\$$" -fuzztime=1m "$$(dirname "$$file")" || exit 1; done || exit 1; done
