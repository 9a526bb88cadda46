// Package civil is time as people live it: a date of birth is a day and stays
// one, wherever it is read; an hour is said with the city it is meant for.
//
// Date has no time and no zone, so it cannot move by a day. Zone is an IANA
// zone from our own list; its rules are in the program. The words (Past,
// Moment, Span) are made here and nowhere else, so that a page, a letter and a
// text message say the same. Nothing here looks at a clock: now is handed in.
package civil
