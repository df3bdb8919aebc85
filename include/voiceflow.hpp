/*
 * libvoiceflow in C++17 and later: who spoke when, inside your process.
 *
 *     voiceflow::Diarizer diarizer;
 *     const auto result = diarizer.process_file("meeting.wav");
 *     for (const voiceflow::Segment &segment : result.segments()) {
 *         std::cout << segment.start_s << " " << segment.end_s << " "
 *                   << result.speaker_label(segment.speaker) << "\n";
 *     }
 *
 * Header-only over voiceflow.h, whose functions it calls and whose words its errors speak; nothing is needed
 * beside the standard library. Link with libvoiceflow (pkg-config: voiceflow; CMake: voiceflow::voiceflow).
 *
 * Errors. A function that can fail returns result<T>, which is T itself: failures are thrown as
 * voiceflow::Error, with the library's text and a Status; Cancelled and DeadlinePassed are kinds of it. With
 * VOICEFLOW_NO_EXCEPTIONS, which a program compiled without exceptions has by itself, result<T> is
 * expected<T>: a value or an Error. Objects are then made by `create`, in place of constructors. Out of
 * memory is reported as std::bad_alloc.
 *
 * Files of one program may be compiled in different styles and for different standards: each has its own
 * classes, which files share by their C handles (`get`). What is thrown is caught by any of them.
 *
 * Handles. Options, Session, Cancel, Diarizer, Diarization, Stream and Gallery own a handle of the library.
 * They move and are not copied. None needs another to live: destroy them in any order, but not while a call
 * uses them, and not inside a callback. One that was moved from fails with Status::null.
 *
 * Threads. Const functions may be called from any threads at once, on one object; the others one thread at a
 * time.
 *
 * Texts are UTF-8, paths the bytes of the system. Audio is taken as a span and never copied. Values and their ranges are those of
 * voiceflow.h, and so are those of the enum classes; 0 means 0.
 */

#ifndef VOICEFLOW_HPP
#define VOICEFLOW_HPP

#include <voiceflow/call.hpp>
#include <voiceflow/diarizer.hpp>
#include <voiceflow/gallery.hpp>
#include <voiceflow/log.hpp>
#include <voiceflow/session.hpp>
#include <voiceflow/stream.hpp>

#endif
