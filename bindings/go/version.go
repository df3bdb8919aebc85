package voiceflow

// #include "shim.h"
import "C"

import "fmt"

// Version gives the version of the library that was loaded, such as "0.1.0".
func Version() string { return C.GoString(C.vf_version()) }

// VersionNumber gives the version as a number that grows with it: major * 65536 + minor * 256 +
// patch.
func VersionNumber() uint32 { return uint32(C.vf_version_number()) }

// abi is the error of every function that makes something, where the library is not the one of the
// header, or is missing.
var abi = checkABI(uint32(C.vf_abi_version()))

func checkABI(loaded uint32) error {
	if text := missing(); text != "" {
		return &Error{Status: ErrLibrary, Text: text}
	}
	if loaded == C.VF_ABI_VERSION {
		return nil
	}
	return &Error{Status: ErrABI, Text: fmt.Sprintf("libvoiceflow %s: expected binary interface %d, got %d",
		Version(), C.VF_ABI_VERSION, loaded)}
}
