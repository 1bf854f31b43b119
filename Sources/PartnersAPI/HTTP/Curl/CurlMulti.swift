import CLibcurl
import Conversions
import Dispatch
import Synchronization

/// Runs a bounded number of transfers at once over kept connections, first come, first served: one libcurl multi
/// handle, which one thread drives while there are transfers.
@safe final class CurlMulti: Sendable {
  private struct State {
    var submitted: [CurlTransfer] = []
    var isDriven = false
    /// True while the driving thread was woken and has not looked yet.
    var isWoken = false
    /// True while a transfer is cancelled that the driving thread has not looked for yet.
    var hasCancelled = false
  }

  private static let isGloballyReady: Bool = conversiond_curl_global_init() == CURLE_OK

  private let transfersMax: Int
  private let options: HTTPOptions
  private nonisolated(unsafe) let headers: (read: HeaderList, write: HeaderList)
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "conversiond.http")
  // Belongs to the queue alone, but for `CurlWatch.ring`, which any thread may call.
  private nonisolated(unsafe) let multi: UnsafeMutableRawPointer?
  private nonisolated(unsafe) let watch: CurlWatch?
  /// The transfers under way, by the number of the easy handle.
  private nonisolated(unsafe) var running: [Int: (handle: CurlHandle, transfer: CurlTransfer)] = [:]
  private nonisolated(unsafe) var idle: [CurlHandle] = []

  /// Makes a sender of at most so many transfers at once, on as many connections, each opened when it is first needed.
  init(_ options: HTTPOptions, transfersMax: Int) {
    self.options = options
    self.transfersMax = max(1, transfersMax)
    unsafe headers = (HeaderList(options, hasBody: false), HeaderList(options, hasBody: true))
    unsafe multi = Self.isGloballyReady ? curl_multi_init() : nil
    unsafe watch = multi.map { unsafe CurlWatch($0) }
    if let multi = unsafe multi {
      _ = unsafe conversiond_curl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, self.transfersMax)
    }
  }

  deinit {
    // Cleans up in this order: https://curl.se/libcurl/c/curl_multi_cleanup.html. No transfer runs: a drive keeps this
    // alive.
    unsafe idle = []
    if let multi = unsafe multi { _ = unsafe curl_multi_cleanup(multi) }
  }

  /// Sends a request and waits for the whole answer, the deadline, or the task's cancellation.
  func send(_ request: HTTPRequest) async -> Result<HTTPAnswer, TransportFailure> {
    let current = Mutex<CurlTransfer?>(nil)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let transfer = CurlTransfer(request) { continuation.resume(returning: $0) }
        current.withLock { $0 = transfer }
        // Checks for a cancellation that came before the handler below could find the transfer.
        if Task.isCancelled {
          transfer.cancel()
          state.withLock { $0.hasCancelled = true }
        }
        submit(transfer)
      }
    } onCancel: {
      guard let transfer = current.withLock({ $0 }) else { return }
      transfer.cancel()
      state.withLock { $0.hasCancelled = true }
      wake()
    }
  }

  private func submit(_ transfer: CurlTransfer) {
    let isDriven = state.withLock { state in
      state.submitted.append(transfer)
      defer { state.isDriven = true }
      return state.isDriven
    }
    if isDriven { wake() } else { queue.async { self.drive() } }
  }

  private func wake() {
    let isFirst = state.withLock { state in
      defer { state.isWoken = true }
      return !state.isWoken
    }
    if isFirst { unsafe watch?.ring() }
  }

  /// Drives transfers until there are none.
  private func drive() {
    repeat {
      // Clears the marks first: a request from now on wakes the thread again.
      let hasCancelled = state.withLock { state in
        defer { (state.isWoken, state.hasCancelled) = (false, false) }
        return state.hasCancelled
      }
      if hasCancelled { endCancelled() }
      begin()
      if let multi = unsafe multi, let watch = unsafe watch { unsafe goOn(multi, watch) }
    } while !isDone
  }

  private func goOn(_ multi: UnsafeMutableRawPointer, _ watch: CurlWatch) {
    guard unsafe !running.isEmpty else { return }
    guard unsafe watch.runDue(multi) == CURLM_OK else { return endAll(CURLE_OUT_OF_MEMORY) }
    // Returns if a transfer ended: that made room for submitted ones.
    if unsafe endFinished(multi) { return }
    guard unsafe watch.wait(multi, longest: 1000) == CURLM_OK else { return endAll(CURLE_OUT_OF_MEMORY) }
    _ = unsafe endFinished(multi)
  }

  private var isDone: Bool {
    state.withLock { state in
      guard unsafe running.isEmpty, state.submitted.isEmpty else { return false }
      state.isDriven = false
      return true
    }
  }

  /// Begins submitted transfers, as far as there is room.
  private func begin() {
    let room = unsafe transfersMax - running.count
    let begun = state.withLock { state in
      defer { state.submitted.removeFirst(min(room, state.submitted.count)) }
      return Array(state.submitted.prefix(room))
    }
    for transfer in begun {
      guard let multi = unsafe multi, let handle = unsafe idle.popLast() ?? CurlHandle(options) else {
        transfer.end(
          .failure(TransportFailure(kind: .connection, message: "libcurl could not start", mayHaveBeenDone: false)))
        continue
      }
      let headers = unsafe transfer.request.method == .get ? headers.read : headers.write
      if let refusal = handle.configure(transfer, headers) {
        transfer.end(handle.result(refusal, transfer))
        putBack(handle)
      } else if unsafe curl_multi_add_handle(multi, handle.easy) == CURLM_OK {
        unsafe running[handle.number] = (handle, transfer)
      } else {
        transfer.end(handle.result(CURLE_FAILED_INIT, transfer))
        putBack(handle)
      }
    }
  }

  /// Reports the results of ended transfers; true if there were any.
  private func endFinished(_ multi: UnsafeMutableRawPointer) -> Bool {
    var left: Int32 = 0
    var hasEnded = false
    while let message = unsafe curl_multi_info_read(multi, &left) {
      guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle else { continue }
      let code = unsafe message.pointee.data.result
      if let (handle, transfer) = unsafe running[Int(bitPattern: easy)] {
        end(handle, transfer, handle.result(code, transfer))
        hasEnded = true
      }
    }
    return hasEnded
  }

  /// Ends the cancelled transfers, begun or not.
  private func endCancelled() {
    let waiting = state.withLock { state in
      defer { state.submitted.removeAll { $0.isCancelled } }
      return state.submitted.filter(\.isCancelled)
    }
    for transfer in waiting {
      transfer.end(.failure(TransportFailure(kind: .cancelled, message: "cancelled", mayHaveBeenDone: false)))
    }
    let cancelled = unsafe running.values.filter(\.transfer.isCancelled)
    for (handle, transfer) in cancelled {
      end(handle, transfer, .failure(handle.cancelled))
    }
  }

  private func endAll(_ code: CURLcode) {
    let all = unsafe Array(running.values)
    for (handle, transfer) in all { end(handle, transfer, handle.result(code, transfer)) }
  }

  private func end(_ handle: CurlHandle, _ transfer: CurlTransfer, _ result: Result<HTTPAnswer, TransportFailure>) {
    unsafe running[handle.number] = nil
    if let multi = unsafe multi { _ = unsafe curl_multi_remove_handle(multi, handle.easy) }
    putBack(handle)
    transfer.end(result)
  }

  private func putBack(_ handle: CurlHandle) {
    handle.clear()
    unsafe idle.append(handle)
  }
}
