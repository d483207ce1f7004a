// Package chart draws what was measured, as SVG and as a page of HTML that
// needs nothing else: no script, no style sheet, no font, no network.
//
// It knows numbers and their names, not where they come from. Colours are told
// apart by people who see few of them, and so are the points and dashes.
package chart

// Chart is points over one axis, with lines to hold them against.
type Chart struct {
	Title  string
	Note   string // below the title: what one has to know to read it
	X, Y   Axis
	Series []Series
	Lines  []Line
}

// Axis is what a chart has below and at its left.
type Axis struct {
	Label string   // with the unit
	Log   bool     // shows what is above zero only; otherwise the axis begins at zero
	Names []string // of the places 0, 1, …, for what is no number; X only
}

// Series is points that belong together, joined by a line.
type Series struct {
	Name   string
	Points []Point
	Loose  bool // not joined
	Dashed bool
	Like   int // from 1: has the colour of the series with that number, counted from 1
}

// Point is a median and the range around it.
type Point struct {
	X, Y      float64
	Low, High float64 // drawn when there is a difference
	Best      bool    // gets a ring
}

// Line lies across the whole chart.
type Line struct {
	Name string
	Y    float64
}

// visible are the points that the axes can show.
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

// extent is how far the axes have to reach; false when there is nothing to show.
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

// span is the room that numbers take.
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
