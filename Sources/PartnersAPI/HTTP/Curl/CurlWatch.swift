import CLibcurl
import Foundation

/// Waits for the sockets of a multi handle and its next deadline, as libcurl tells them, and for `ring` by another
/// thread. Calls poll(2) once for all of them, and tells libcurl of those alone that are ready: by itself it would ask
/// the kernel about each of its transfers each time.
///
/// Belongs to the thread that drives the handle, but for `ring`.
@safe final class CurlWatch {
  /// The descriptors to poll: the eventfd first, then the sockets.
  private var polled: [pollfd]
  private let bell: Int32
  /// The next deadline, in seconds of the monotonic clock; nil for none.
  private var deadline: Double?

  /// Makes the watch of a handle, which must not outlive it.
  init(_ multi: UnsafeMutableRawPointer) {
    bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    polled = [pollfd(fd: bell, events: Int16(POLLIN), revents: 0)]
    unsafe conversiond_curl_multi_set_watchers(
      multi,
      { _, socket, what, context, _ in
        unsafe CurlWatch.at(context)?.watch(socket, what)
        return 0
      },
      { _, milliseconds, context in
        unsafe CurlWatch.at(context)?.setDeadline(milliseconds)
        return 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit { if bell >= 0 { close(bell) } }

  private static func at(_ context: UnsafeMutableRawPointer?) -> CurlWatch? {
    unsafe context.map { unsafe Unmanaged<CurlWatch>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Ends a wait; may be called from any thread. If there was no descriptor left for the eventfd, waits are short.
  nonisolated func ring() { _ = eventfd_write(bell, 1) }

  /// Makes libcurl go on with the transfers that are due, or were just added.
  func runDue(_ multi: UnsafeMutableRawPointer) -> CURLMcode {
    guard let due = deadline, due <= Self.now else { return CURLM_OK }
    deadline = nil
    var count: Int32 = 0
    return unsafe curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &count)
  }

  /// Waits until a socket is ready, `ring` was called, a deadline has passed or `longest` milliseconds have, and makes
  /// libcurl go on with the ready sockets.
  func wait(_ multi: UnsafeMutableRawPointer, longest: Int) -> CURLMcode {
    let left = deadline.map { Int(max(0, ($0 - Self.now) * 1000).rounded(.up)) } ?? longest
    let ready = unsafe poll(&polled, nfds_t(polled.count), Int32(min(left, bell < 0 ? min(longest, 10) : longest)))
    guard ready > 0 else { return CURLM_OK }
    if polled[0].revents != 0 {
      var count: eventfd_t = 0
      _ = unsafe eventfd_read(bell, &count)
    }
    // Iterates over a copy: libcurl changes the watched sockets while it goes on.
    for socket in polled.dropFirst() where socket.revents != 0 {
      var count: Int32 = 0
      let code = unsafe curl_multi_socket_action(multi, socket.fd, Self.happened(socket.revents), &count)
      guard code == CURLM_OK else { return code }
    }
    return CURLM_OK
  }

  private static func happened(_ events: Int16) -> Int32 {
    var bits: Int32 = 0
    if events & Int16(POLLIN | POLLHUP) != 0 { bits |= CURL_CSELECT_IN }
    if events & Int16(POLLOUT) != 0 { bits |= CURL_CSELECT_OUT }
    if events & Int16(POLLERR | POLLNVAL) != 0 { bits |= CURL_CSELECT_ERR }
    return bits
  }

  private func watch(_ socket: Int32, _ what: Int32) {
    let index = polled.dropFirst().firstIndex { $0.fd == socket }
    guard what != CURL_POLL_REMOVE else {
      if let index { polled.remove(at: index) }
      return
    }
    var events: Int16 = 0
    if what & CURL_POLL_IN != 0 { events |= Int16(POLLIN) }
    if what & CURL_POLL_OUT != 0 { events |= Int16(POLLOUT) }
    if let index {
      polled[index].events = events
    } else {
      polled.append(pollfd(fd: socket, events: events, revents: 0))
    }
  }

  private func setDeadline(_ milliseconds: Int) {
    deadline = milliseconds < 0 ? nil : Self.now + Double(milliseconds) / 1000
  }

  private static var now: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
