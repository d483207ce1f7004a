package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// draw draws the chart on a canvas: a head, a plot, and a legend where it hides nothing.
func (c *Chart) draw(canvas draw.Canvas) {
	canvas.SetColor(color.White)
	canvas.Fill(canvas.Path())
	area := draw.Crop(canvas, margin, -margin, margin, -margin)
	area = c.head(area)
	x, y, ok := c.extent()
	if !ok {
		area.FillText(letters(11, faint(), false), vg.Point{X: area.Min.X, Y: area.Max.Y - 20}, "Nothing was measured.")
		return
	}
	p := plot.New()
	plain(p)
	p.X.Label.Text, p.Y.Label.Text = c.X.Label, c.Y.Label
	p.X.Min, p.X.Max = c.X.reach(x)
	p.Y.Min, p.Y.Max = c.Y.reach(y)
	p.X.Tick.Marker = plot.ConstantTicks(c.X.ticks(p.X.Min, p.X.Max, c.places()))
	p.Y.Tick.Marker = plot.ConstantTicks(c.Y.ticks(p.Y.Min, p.Y.Max, nil))
	for _, a := range []struct {
		of  *plot.Axis
		log bool
	}{{&p.X, c.X.Log}, {&p.Y, c.Y.Log}} {
		if a.log {
			a.of.Scale = plot.LogScale{}
		}
	}
	low, high := p.X.Min, p.X.Max
	lines := plotter.NewGrid()
	lines.Horizontal.Color, lines.Vertical.Color = grid(), grid()
	lines.Horizontal.Width, lines.Vertical.Width = 0.5, 0.5
	p.Add(lines)
	key := c.plot(p)
	p.X.Min, p.X.Max = low, high // adding series has widened them
	beside := key.Rectangle(area)
	p.Draw(draw.Crop(area, 0, -beside.Size().X-2*margin, 0, 0))
	key.Draw(draw.Crop(area, area.Size().X-beside.Size().X, 0, 0, -10))
}

// head writes title and note, and returns the area below them.
func (c *Chart) head(area draw.Canvas) draw.Canvas {
	title, note := letters(13, ink(), true), letters(9.5, faint(), false)
	y := area.Max.Y - title.Font.Size
	area.FillText(title, vg.Point{X: area.Min.X, Y: y}, c.Title)
	if c.Note != "" {
		y -= note.Font.Size + 5
		area.FillText(note, vg.Point{X: area.Min.X, Y: y}, c.Note)
	}
	return draw.Crop(area, 0, 0, 0, y-area.Max.Y-margin)
}

// plot adds lines and series, and returns the legend.
func (c *Chart) plot(p *plot.Plot) plot.Legend {
	key := plot.NewLegend()
	key.TextStyle = letters(9.5, ink(), false)
	key.Top, key.Left, key.Padding, key.ThumbnailWidth = true, true, 7, 26
	all := colours()
	for i := range c.Series {
		of := i
		if c.Series[i].Like > 0 {
			of = c.Series[i].Like - 1
		}
		s := &drawn{points: c.visible(&c.Series[i]), colour: all[of%len(all)], glyph: glyphs()[i%len(glyphs())]}
		s.joined = !c.Series[i].Loose
		if c.Series[i].Dashed {
			s.dashes = dashes()[0]
		}
		p.Add(s)
		key.Add(c.Series[i].Name, s)
	}
	for i, l := range c.Lines {
		if c.Y.Log && l.Y <= 0 {
			continue
		}
		r := &rule{y: l.Y, style: draw.LineStyle{Color: ink(), Width: 1.2, Dashes: dashes()[i%len(dashes())]}}
		p.Add(r)
		key.Add(l.Name, r)
	}
	return key
}

// drawn is a series with its style.
type drawn struct {
	points []Point
	colour color.Color
	glyph  draw.GlyphDrawer
	joined bool
	dashes []vg.Length
}

// Plot draws the line, then the ranges, then the points on top.
func (s *drawn) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var path []vg.Point
	for _, at := range s.points {
		path = append(path, vg.Point{X: x(at.X), Y: y(at.Y)})
	}
	if s.joined {
		c.StrokeLines(s.line(), path)
	}
	bar := draw.LineStyle{Color: s.colour, Width: 1.1}
	for i, at := range s.points {
		if at.High > at.Low {
			const arm = 3.5
			low, high, middle := y(at.Low), y(at.High), path[i].X
			c.StrokeLine2(bar, middle, low, middle, high)
			c.StrokeLine2(bar, middle-arm, low, middle+arm, low)
			c.StrokeLine2(bar, middle-arm, high, middle+arm, high)
		}
		c.DrawGlyph(draw.GlyphStyle{Color: s.colour, Radius: 3.4, Shape: s.glyph}, path[i])
		if at.Best {
			c.DrawGlyph(draw.GlyphStyle{Color: ink(), Radius: 7, Shape: draw.RingGlyph{}}, path[i])
		}
	}
}

func (s *drawn) line() draw.LineStyle {
	return draw.LineStyle{Color: s.colour, Width: 1.6, Dashes: s.dashes}
}

// Thumbnail shows line and point.
func (s *drawn) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	if s.joined {
		c.StrokeLine2(s.line(), c.Min.X, y, c.Max.X, y)
	}
	c.DrawGlyph(draw.GlyphStyle{Color: s.colour, Radius: 3.4, Shape: s.glyph}, c.Center())
}

// rule is a line across.
type rule struct {
	y     float64
	style draw.LineStyle
}

// Plot draws it.
func (r *rule) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	c.StrokeLine2(r.style, c.Min.X, y(r.y), c.Max.X, y(r.y))
}

// Thumbnail shows it.
func (r *rule) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	c.StrokeLine2(r.style, c.Min.X, y, c.Max.X, y)
}
