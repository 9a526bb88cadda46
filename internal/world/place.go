package world

import "testing"

// DatabaseURL is a new and empty database that goes away with the test, for
// those who open it themselves.
func DatabaseURL(t testing.TB) string { return databaseURL(t) }
