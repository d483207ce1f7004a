package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// reach widens the range of an axis a little.
func (a *Axis) reach(s span) (low, high float64) {
	switch {
	case len(a.Names) > 0:
		return -0.5, float64(len(a.Names)) - 0.5
	case a.Log && s.min == s.max:
		return s.min / 2, s.max * 2
	case a.Log:
		air := math.Pow(s.max/s.min, 0.06)
		return s.min / air, s.max * air
	case s.max <= 0:
		return 0, 1
	}
	return 0, s.max * 1.08
}

// ticks returns the numbers beside an axis. A logarithmic axis has the given positions if
// they are few, and round numbers otherwise.
func (a *Axis) ticks(low, high float64, places []float64) []plot.Tick {
	switch {
	case len(a.Names) > 0:
		ticks := make([]plot.Tick, len(a.Names))
		for i, name := range a.Names {
			ticks[i] = plot.Tick{Value: float64(i), Label: name}
		}
		return ticks
	case a.Log && len(places) > 0 && len(places) <= 10:
		return at(places)
	case a.Log:
		return logTicks(low, high)
	case len(places) > 0 && len(places) <= 6:
		return at(places)
	}
	return evenTicks(low, high)
}

// evenTicks returns about five round numbers at even distances.
func evenTicks(low, high float64) []plot.Tick {
	power := math.Pow(10, math.Floor(math.Log10(high-low)))
	step := power
	for _, finer := range []float64{0.5, 0.2} {
		if (high-low)/step >= 4 {
			break
		}
		step = finer * power
	}
	var ticks []plot.Tick
	for i := math.Ceil(low / step); i*step <= high; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: number(i * step)})
	}
	return ticks
}

func at(places []float64) []plot.Tick {
	ticks := make([]plot.Tick, len(places))
	for i, v := range places {
		ticks[i] = plot.Tick{Value: v, Label: number(v)}
	}
	return ticks
}

// logTicks returns 1, 2 and 5 of each power of ten; over many powers only 1 has a label.
func logTicks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	few := math.Log10(high/low) < 2.5
	for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
		for digit := 1.0; digit <= 9; digit++ {
			v := digit * math.Pow(10, e)
			if v < low || v > high {
				continue
			}
			t := plot.Tick{Value: v}
			if digit == 1 || few && (digit == 2 || digit == 5) {
				t.Label = number(v)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// places returns the distinct X of all points, in order.
func (c *Chart) places() []float64 {
	var all []float64
	for i := range c.Series {
		for _, p := range c.visible(&c.Series[i]) {
			all = append(all, p.X)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// number formats a number with commas and few digits.
func number(v float64) string {
	if v == 0 {
		return "0"
	}
	if math.Abs(v) < 10 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	text := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	if v < 0 {
		text = "−" + text
	}
	return strings.TrimSpace(text)
}
