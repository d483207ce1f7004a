// Package thumbnail makes small pictures of images.
package thumbnail

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"slices"
	"strconv"

	"golang.org/x/image/draw"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/address"
	"github.com/balerhq/baler/internal/images"
	"github.com/balerhq/baler/tasks"
)

// Codes of the results of thumbnail.
const (
	CodeNoImage  = "no-image"  // no decoder knows the content
	CodeTooLarge = "too-large" // more pixels than max_pixels
	CodeDamaged  = "malformed" // the image is damaged

	CodeUnsupported = "unsupported" // the image is of a variant that no decoder knows; it may be sound
)

const (
	defaultSize      = 256
	defaultMaxPixels = 200_000_000
	maxSize          = 4096
	quality          = 85
)

type thumbnailArgs struct {
	To        string `json:"to"`
	Sizes     []int  `json:"sizes"`
	Replace   bool   `json:"replace"`
	MaxPixels int64  `json:"max_pixels"`
}

// Register adds the handler thumbnail to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("thumbnail", New(), docs(), handlers.WithoutEarlierFacts(),
		handlers.WithDescription("small JPEG pictures of JPEG, PNG, GIF, TIFF, BMP and WebP images"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 50, MaxBytes: 64 << 20}),
		handlers.WithOutputFolder("to"), handlers.WithArgsCheck(handlers.CheckWith(argsOf)),
		handlers.WithFacts("thumbnails", "width", "height"))
}

// New makes pictures of images as JPEG, one for each of the sizes in the argument "sizes",
// 256 when there are none: so many pixels at most on the longer side, upright by the EXIF
// orientation, transparent parts white. An image that is smaller is not enlarged. They are
// written to "to"/PATH.SIZE.jpg, where PATH is relative to the source. A picture that is
// there with other content stays and is an error, unless "replace" is true. Facts:
// thumbnails, their paths; width and height of the image, upright.
//
// A file that is no image is skipped; one with more pixels than "max_pixels", 200,000,000
// when not given, or of a variant that no decoder knows, ends with a warning; one that is
// damaged fails.
func New() handlers.Handler {
	return handlers.PerFile(thumbnail, handlers.Parallel(0), handlers.StallLimit(handlers.DefaultStallLimit))
}

func argsOf(args any) (thumbnailArgs, error) {
	a := thumbnailArgs{Sizes: []int{defaultSize}, MaxPixels: defaultMaxPixels}
	if err := handlers.DecodeArgs(args, &a); err != nil {
		return a, err
	}
	wrong := func(format string, args ...any) error {
		return handlers.Fail(handlers.CodeBadArgs, fmt.Errorf(format, args...))
	}
	switch {
	case a.To == "":
		return a, wrong("to is missing: name the folder of the thumbnails")
	case len(a.Sizes) == 0:
		return a, wrong("sizes is empty: name some numbers of pixels")
	case a.MaxPixels < 1:
		return a, wrong("max_pixels is %d: give a number from 1", a.MaxPixels)
	}
	if err := address.CheckDestination(a.To); err != nil {
		return a, wrong("%w", err)
	}
	for i, size := range a.Sizes {
		if size < 1 || size > maxSize {
			return a, wrong("sizes has %d: give numbers of pixels from 1 to %d", size, maxSize)
		}
		if slices.Contains(a.Sizes[:i], size) {
			return a, wrong("sizes has %d twice", size)
		}
	}
	return a, nil
}

func thumbnail(ctx context.Context, job *handlers.Job) error {
	args, err := argsOf(job.Args())
	if err != nil {
		return err
	}
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	picture, err := decode(ctx, job, f, args.MaxPixels)
	if err != nil {
		return err
	}
	bounds := picture.Bounds()
	paths := make([]string, 0, len(args.Sizes))
	for _, size := range args.Sizes {
		if err := ctx.Err(); err != nil {
			return err
		}
		small := shrink(picture, size)
		path := job.DestinationIn(args.To) + "." + strconv.Itoa(size) + ".jpg"
		created, err := job.Create(ctx, path, handlers.CreateOptions{Replace: args.Replace}, func(w io.Writer) error {
			return jpeg.Encode(w, small, &jpeg.Options{Quality: quality})
		})
		if err != nil {
			return err
		}
		paths = append(paths, created.Path)
	}
	return errors.Join(job.SetFact("thumbnails", paths), job.SetFact("width", bounds.Dx()), job.SetFact("height", bounds.Dy()))
}

// decode reads an image and turns it upright.
func decode(ctx context.Context, job *handlers.Job, f handlers.ReadableFile, maxPixels int64) (image.Image, error) {
	in := watched{ctx, f, job.Progress}
	config, _, err := image.DecodeConfig(in)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, image.ErrFormat):
		return nil, handlers.Skip(CodeNoImage, "no decoder knows the content: JPEG, PNG, GIF, TIFF, BMP and WebP are known")
	case err != nil:
		return nil, decodeError(err)
	}
	if pixels := int64(config.Width) * int64(config.Height); pixels > maxPixels {
		return nil, handlers.Warn(CodeTooLarge, fmt.Sprintf("no thumbnail: %d × %d are more than %d pixels (max_pixels)",
			config.Width, config.Height, maxPixels))
	}
	turn, err := orientation(in)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, handlers.RetryLater(handlers.CodeIO, err)
	}
	picture, _, err := image.Decode(in)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, decodeError(err)
	}
	return upright(picture, turn), nil
}

// decodeError tells a damaged image from one that no decoder knows, and from a disk that fails.
func decodeError(err error) error {
	if _, ok := errors.AsType[*os.PathError](err); ok {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	if images.Unsupported(err) {
		return handlers.Warn(CodeUnsupported, "no thumbnail: "+err.Error())
	}
	return handlers.Fail(CodeDamaged, err)
}

// shrink makes a picture of at most so many pixels on its longer side, on white.
func shrink(picture image.Image, size int) image.Image {
	from := picture.Bounds()
	width, height := from.Dx(), from.Dy()
	if longer := max(width, height); longer > size {
		width, height = max(1, width*size/longer), max(1, height*size/longer)
	}
	small := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(small, small.Bounds(), image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(small, small.Bounds(), picture, from, draw.Over, nil)
	return small
}

// watched reports each read, and ends with its context.
type watched struct {
	ctx      context.Context //nolint:containedctx // of one file
	f        handlers.ReadableFile
	progress func()
}

func (w watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.f.Read(p)
	w.progress()
	return n, err
}

// Seek is that of the file.
func (w watched) Seek(offset int64, whence int) (int64, error) { return w.f.Seek(offset, whence) }
