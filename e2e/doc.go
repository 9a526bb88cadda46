// Package e2e walks through the program as a practitioner and a client do: with
// a browser, from the sign-up to the first day in a new place.
//
// Each test starts the program that people get, with a directory and a port of
// its own. Letters are read from the page that shows them. What a visitor
// comes past is looked at by check, once in the light and once in the dark: for
// findings of axe, for a page that is wider than its screen, for text that is
// cut off, on a phone for what a finger misses; and for what the browser
// complained of, for what the page was not allowed to load and for requests to
// others. Visitors without scripts come in the dark, the others in the light.
//
// The pages that matter most are kept in pictures, on a phone and on a desktop,
// in the light and in the dark. A page that looks otherwise by more than a
// fiftieth fails; -update writes the pictures anew, to be looked at. They hold
// from one day and one Chromium to the next: letters come out of the program's
// own fonts, nothing moves, a fixed time stands in place of each, and what is
// compared is the average color of squares of 8 px, in which the edges of
// letters vanish. A word that changed does not fail: tests read words.
package e2e
