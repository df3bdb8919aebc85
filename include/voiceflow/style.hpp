// In which style functions fail, and with whose types. Part of voiceflow.hpp.
#ifndef VOICEFLOW_STYLE_HPP
#define VOICEFLOW_STYLE_HPP

#if __has_include(<version>)
#include <version>
#endif

#if !defined(VOICEFLOW_NO_EXCEPTIONS) && !defined(__cpp_exceptions)
/// Functions that can fail return voiceflow::expected and throw nothing. Set where a program is
/// compiled without exceptions; others may set it too.
#define VOICEFLOW_NO_EXCEPTIONS
#endif

// Each style, with each choice between the standard library's types and the interface's own, has a
// namespace: files compiled in different ones, and for different standards, can be linked together.
// Errors differ by the style alone, so that one thrown by a file is caught by another of any
// standard.
#ifndef VOICEFLOW_NO_EXCEPTIONS
#define VOICEFLOW_ERROR_STYLE thrown
#define VOICEFLOW_RESULT_TYPE throwing
#else
#define VOICEFLOW_ERROR_STYLE returned
#ifdef __cpp_lib_expected
#define VOICEFLOW_RESULT_TYPE std_expected
#else
#define VOICEFLOW_RESULT_TYPE own_expected
#endif
#endif
#ifdef __cpp_lib_span
#define VOICEFLOW_SPAN_TYPE std_span
#else
#define VOICEFLOW_SPAN_TYPE own_span
#endif
#ifdef __cpp_lib_jthread
#define VOICEFLOW_STOP_TYPE std_stop
#else
#define VOICEFLOW_STOP_TYPE no_stop
#endif
#define VOICEFLOW_JOIN_NAMES(result, span, stop) result##_##span##_##stop
#define VOICEFLOW_JOIN(result, span, stop) VOICEFLOW_JOIN_NAMES(result, span, stop)
#define VOICEFLOW_STYLE VOICEFLOW_JOIN(VOICEFLOW_RESULT_TYPE, VOICEFLOW_SPAN_TYPE, VOICEFLOW_STOP_TYPE)

#endif
