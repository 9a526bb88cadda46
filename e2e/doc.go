// Package e2e walks through the program as a practitioner and a client do: with
// a browser, from the sign-up to the first day in a new place.
//
// Each test starts the program that people get, with a directory and a port of
// its own. Letters are read from the page that shows them. What a visitor
// comes past is looked at by check: for findings of axe in the light and in the
// dark, for what the browser complained of, for what the page was not allowed
// to load, for requests to others, and for a page that is wider than its screen.
//
// The program keeps real time, so pages differ from run to run by their times
// and dates. For that reason no picture is compared with an earlier one: those
// in pictures are made with -update, to be looked at.
package e2e
