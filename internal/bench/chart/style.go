package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The size of one chart, in points.
const (
	width  = 720
	height = 380
	margin = 14
)

// Okabe and Ito's colours, without the yellow that is too light for lines on
// white: https://jfly.uni-koeln.de/color/
func colours() []color.RGBA {
	return []color.RGBA{
		{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
		{0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0x33, 0x33, 0x33, 0xff},
	}
}

func glyphs() []draw.GlyphDrawer {
	return []draw.GlyphDrawer{
		draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, disc{}, draw.PlusGlyph{}, draw.CrossGlyph{}, draw.TriangleGlyph{},
	}
}

// disc is a circle with a hole.
type disc struct{}

// DrawGlyph draws the ring, white within.
func (disc) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	white := s
	white.Color = color.White
	draw.CircleGlyph{}.DrawGlyph(c, white, at)
	draw.RingGlyph{}.DrawGlyph(c, s, at)
}

func dashes() [][]vg.Length {
	return [][]vg.Length{{7, 4}, {2, 3}, {9, 3, 2, 3}, {4, 2}}
}

func ink() color.Color   { return color.Gray{0x22} }
func faint() color.Color { return color.Gray{0x66} }
func grid() color.Color  { return color.Gray{0xe4} }

// letters is a style of text. Common fonts have the same metrics as its font.
func letters(size vg.Length, colour color.Color, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = 2 // x/image/font's bold, of which the fonts have only this
	}
	return text.Style{Color: colour, Font: f, Handler: text.Plain{Fonts: font.DefaultCache}}
}

// plain simplifies a plot's axes.
func plain(p *plot.Plot) {
	p.BackgroundColor = color.Transparent
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		rotation, x, y := a.Label.TextStyle.Rotation, a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign
		a.Label.TextStyle = letters(10, ink(), false)
		a.Label.TextStyle.Rotation, a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign = rotation, x, y
		a.Label.Padding = 5
		x, y = a.Tick.Label.XAlign, a.Tick.Label.YAlign
		a.Tick.Label = letters(9, ink(), false)
		a.Tick.Label.XAlign, a.Tick.Label.YAlign = x, y
		a.Color, a.Tick.Color = faint(), faint()
		a.Width, a.Tick.Width = 0.6, 0.6
		a.Tick.Length, a.Padding = 4, 0
	}
}
