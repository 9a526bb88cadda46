package civil

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"icouch/internal/base/fault"
)

// What a person can get wrong about a date.
var (
	ErrNoSuchDate  = fault.New(fault.Invalid, "This date does not exist. Enter a day, a month and a year, like 27 March 1984.")
	ErrDateParts   = fault.New(fault.Invalid, "Part of the date is missing. Enter a day, a month and a year, like 27 March 1984.")
	ErrShortYear   = fault.New(fault.Invalid, "Write the year with four digits, like 1984.")
	ErrBirthFuture = fault.New(fault.Invalid, "This date of birth is in the future. Please check the year.")
	ErrBirthEarly  = fault.New(fault.Invalid, "This date of birth is before 1890. Please check the year.")
)

// earliestBirth is the first year of birth we believe.
const earliestBirth = 1890

// Date is a day of the calendar: no time, no zone. The zero Date is none.
// Dates compare with ==.
type Date struct {
	year, month, day int
}

// NewDate returns the day y, m, d if the calendar has it.
func NewDate(y int, m time.Month, d int) (Date, error) {
	t := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if y < 1 || y > 9999 || t.Year() != y || t.Month() != m || t.Day() != d {
		return Date{}, ErrNoSuchDate
	}
	return Date{y, int(m), d}, nil
}

// DateOf returns the day it is at t in zone.
func DateOf(t time.Time, zone Zone) Date {
	y, m, d := t.In(zone.Load()).Date()
	return Date{y, int(m), d}
}

// ParseDate reads a date as String writes it, "1984-03-27". Empty is none.
func ParseDate(iso string) (Date, error) {
	iso = strings.TrimSpace(iso)
	if iso == "" {
		return Date{}, nil
	}
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return Date{}, ErrNoSuchDate
	}
	return NewDate(t.Date())
}

// ParseBoxes reads a date typed into three boxes; the month is a number or its
// English name. Three empty boxes are no date.
func ParseBoxes(year, month, day string) (Date, error) {
	year, month, day = strings.TrimSpace(year), strings.TrimSpace(month), strings.TrimSpace(day)
	switch {
	case year == "" && month == "" && day == "":
		return Date{}, nil
	case year == "" || month == "" || day == "":
		return Date{}, ErrDateParts
	}
	y, okYear := number(year)
	m, okMonth := monthNumber(month)
	d, okDay := number(day)
	switch {
	case !okYear || !okMonth || !okDay:
		return Date{}, ErrNoSuchDate
	case len(year) < 4:
		return Date{}, ErrShortYear
	}
	return NewDate(y, time.Month(m), d)
}

// CheckBirth refuses a date on which nobody who is a client today was born.
func CheckBirth(born, today Date) error {
	switch {
	case born.Compare(today) > 0:
		return ErrBirthFuture
	case !born.IsZero() && born.year < earliestBirth:
		return ErrBirthEarly
	}
	return nil
}

// IsZero reports whether there is no date.
func (d Date) IsZero() bool { return d == Date{} }

// Year returns the year.
func (d Date) Year() int { return d.year }

// Month returns the month.
func (d Date) Month() time.Month { return time.Month(d.month) }

// Day returns the day of the month.
func (d Date) Day() int { return d.day }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.noon().Weekday() }

// AddDays returns the day n days later.
func (d Date) AddDays(n int) Date {
	y, m, day := d.noon().AddDate(0, 0, n).Date()
	return Date{y, int(m), day}
}

// DaysUntil counts the days from d to later, as a calendar on the wall does.
func (d Date) DaysUntil(later Date) int {
	return int(later.noon().Sub(d.noon()) / (24 * time.Hour))
}

// Compare returns -1, 0 or 1 as d is before, on or after other.
func (d Date) Compare(other Date) int {
	return cmp.Or(cmp.Compare(d.year, other.year), cmp.Compare(d.month, other.month), cmp.Compare(d.day, other.day))
}

// Age returns the whole years from d to today. Somebody born on 29 February
// is a year older on 1 March when there is no 29th. It is never negative.
func (d Date) Age(today Date) int {
	years := today.year - d.year
	if cmp.Or(cmp.Compare(today.month, d.month), cmp.Compare(today.day, d.day)) < 0 {
		years--
	}
	return max(years, 0)
}

// String returns the date as "1984-03-27", or nothing for none.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day)
}

// noon in UTC is far from every change of clocks.
// Begins returns the moment at which the day begins in a zone.
func (d Date) Begins(zone Zone) time.Time {
	return time.Date(d.year, d.Month(), d.day, 0, 0, 0, 0, zone.Load())
}

func (d Date) noon() time.Time { return time.Date(d.year, d.Month(), d.day, 12, 0, 0, 0, time.UTC) }

func number(s string) (int, bool) {
	if len(s) > 4 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

func monthNumber(s string) (int, bool) {
	if len(s) >= 3 {
		for m := time.January; m <= time.December; m++ {
			if name := m.String(); len(s) <= len(name) && strings.EqualFold(name[:len(s)], s) {
				return int(m), true
			}
		}
	}
	return number(s)
}
