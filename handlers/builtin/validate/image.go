package validate

import (
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/balerhq/baler/internal/images"
)

// checkImage decodes all pixels, unless there are too many: a file of a few bytes can
// declare 10^10 pixels.
func checkImage(in *input) error {
	config, format, err := image.DecodeConfig(in)
	if err != nil {
		return decodeError(in, err)
	}
	if pixels := int64(config.Width) * int64(config.Height); pixels > in.args.MaxPixels {
		return fmt.Errorf("%w: %d × %d are %d pixels, more than %d (max_pixels)",
			errNotChecked, config.Width, config.Height, pixels, in.args.MaxPixels)
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, _, err := image.Decode(in); err != nil {
		return decodeError(in, fmt.Errorf("%s: %w", format, err))
	}
	return nil
}

// decodeError distinguishes a damaged image from a variant that the decoders do not know,
// such as a BigTIFF or a JPEG with arithmetic coding.
func decodeError(in *input, err error) error {
	_, identified := in.job.Fact("puid")
	if images.Unsupported(err) || errors.Is(err, image.ErrFormat) && identified { // identify has recognised its signature
		return fmt.Errorf("%w: %w", errNotChecked, err)
	}
	return err
}
