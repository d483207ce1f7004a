// Package chart draws measurements, as SVG and as a self-contained HTML page: it needs no
// script, style sheet, font or network.
//
// It draws numbers with names, and does not depend on their origin. Colour-blind people can
// distinguish the colours, and series also differ in points and dashes.
package chart

// Chart has points over one axis, and lines to compare them with.
type Chart struct {
	Title  string
	Note   string // below the title: an explanation
	X, Y   Axis
	Series []Series
	Lines  []Line
}

// Axis is the horizontal or the vertical axis of a chart.
type Axis struct {
	Label string   // with the unit
	Log   bool     // logarithmic, for values above zero; otherwise the axis begins at zero
	Names []string // names of the positions 0, 1, …, for values that are not numbers; X only
}

// Series is a series of points, joined by a line.
type Series struct {
	Name   string
	Points []Point
	Loose  bool // not joined
	Dashed bool
	Like   int // number of the series, from 1, that has the same colour; 0: a colour of its own
}

// Point is a median and the range around it.
type Point struct {
	X, Y      float64
	Low, High float64 // drawn when there is a difference
	Best      bool    // gets a ring
}

// Line is a line across the whole chart.
type Line struct {
	Name string
	Y    float64
}

// visible returns the points that the axes can show.
func (c *Chart) visible(s *Series) []Point {
	var all []Point
	for _, p := range s.Points {
		if (c.Y.Log && p.Y <= 0) || (c.X.Log && p.X <= 0) {
			continue
		}
		if p.Low == 0 && p.High == 0 {
			p.Low, p.High = p.Y, p.Y
		}
		if c.Y.Log && p.Low <= 0 {
			p.Low = p.Y
		}
		all = append(all, p)
	}
	return all
}

// extent returns the ranges of the axes; false when there is nothing to show.
func (c *Chart) extent() (x, y span, ok bool) {
	for i := range c.Series {
		for _, p := range c.visible(&c.Series[i]) {
			x.add(p.X)
			y.add(p.Low)
			y.add(p.High)
		}
	}
	for _, l := range c.Lines {
		if l.Y > 0 || !c.Y.Log {
			y.add(l.Y)
		}
	}
	return x, y, x.some && y.some
}

// span is a range of numbers.
type span struct {
	min, max float64
	some     bool
}

func (s *span) add(v float64) {
	if !s.some {
		*s = span{v, v, true}
	}
	s.min, s.max = min(s.min, v), max(s.max, v)
}
