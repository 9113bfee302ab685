package doctor_test

import (
	"testing"

	"penstock/internal/testing/leak"
)

func TestMain(m *testing.M) { leak.Main(m, leak.Refused()...) }
