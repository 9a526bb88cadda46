package civil

import (
	"strconv"
	"strings"
	"time"
)

// A no-break space keeps "2:14 pm" on one line.
const nbsp = "\u00a0"

// week is how many days back "3 days ago" goes; after that, the date.
const week = 7

// Past says when something happened: "today 2:14 pm", "yesterday",
// "3 days ago", and after a week the date. It never counts hours: what it says
// stays true until midnight.
func Past(now, t time.Time, zone Zone) string {
	days := DateOf(t, zone).DaysUntil(DateOf(now, zone))
	switch {
	case days == 0:
		return "today " + Clock(t, zone)
	case days == 1:
		return "yesterday"
	case 1 < days && days <= week:
		return strconv.Itoa(days) + " days ago"
	}
	return Day(now, t, zone)
}

// Day names a day: "Tue 24 Nov", with the year when it is not this one.
func Day(now, t time.Time, zone Zone) string {
	return DateOf(t, zone).InWords(DateOf(now, zone))
}

// InWords names the day: "Tue 24 Nov", with the year when it is not today's.
func (d Date) InWords(today Date) string {
	s := d.Weekday().String()[:3] + " " + d.dayAndMonth()
	if d.year != today.year {
		s += " " + strconv.Itoa(d.year)
	}
	return s
}

// Moment names a day and its hour: "Tue 24 Nov, 2:14 pm".
func Moment(now, t time.Time, zone Zone) string {
	return Day(now, t, zone) + ", " + Clock(t, zone)
}

// MomentZone is Moment with its zone: "Tue 24 Nov, 2:14 pm, New York time".
func MomentZone(now, t time.Time, zone Zone) string {
	return Moment(now, t, zone) + ", " + unbroken(zone)
}

// Full leaves nothing out: "Sat 21 Nov 2026, 2:14 pm, New York time".
func Full(t time.Time, zone Zone) string {
	return DateOf(t, zone).InWords(Date{}) + ", " + Clock(t, zone) + ", " + unbroken(zone)
}

// Span names an appointment: "Tue 24 Nov, 9:00–9:50 am, New York time".
func Span(now, from, to time.Time, zone Zone) string {
	start, end := Clock(from, zone), Clock(to, zone)
	switch a, b := half(from, zone), half(to, zone); {
	case DateOf(from, zone) != DateOf(to, zone):
		end = Moment(now, to, zone)
		return Moment(now, from, zone) + " – " + end + ", " + unbroken(zone)
	case a == b && a != "":
		start = start[:len(start)-len(nbsp+a)]
	}
	return Day(now, from, zone) + ", " + start + "–" + end + ", " + unbroken(zone)
}

// Clock names the hour: "2:14 pm", "noon", "midnight".
func Clock(t time.Time, zone Zone) string {
	local := t.In(zone.Load())
	switch {
	case local.Minute() != 0:
	case local.Hour() == 0:
		return "midnight"
	case local.Hour() == 12:
		return "noon"
	}
	return local.Format("3:04" + nbsp + "pm")
}

// half returns "am" or "pm", or nothing where Clock uses a word.
func half(t time.Time, zone Zone) string {
	c := Clock(t, zone)
	if c == "noon" || c == "midnight" {
		return ""
	}
	return c[len(c)-2:]
}

// unbroken names the zone so that its words stay on one line.
func unbroken(zone Zone) string { return strings.ReplaceAll(zone.ZoneCity(), " ", nbsp) }

func (d Date) dayAndMonth() string {
	return strconv.Itoa(d.day) + " " + d.Month().String()[:3]
}
