package web

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// tokenPrefix keeps tokens of another kind or of a later form from being taken
// for a transfer's number.
const tokenPrefix = "t1:"

// errToken says that a page token was not given out by this API.
var errToken = errors.New("not a page token: use the value of next from the page before")

// encodeToken hides the number of the last transfer of a page in a token that
// clients hand back and do not look into.
func encodeToken(id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenPrefix + strconv.FormatInt(id, 10)))
}

// decodeToken gives the number back; 0, the first page, for an empty token.
func decodeToken(token string) (int64, error) {
	if token == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, errToken
	}
	digits, ok := strings.CutPrefix(string(text), tokenPrefix)
	if !ok {
		return 0, errToken
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || id < 1 {
		return 0, errToken
	}
	return id, nil
}
