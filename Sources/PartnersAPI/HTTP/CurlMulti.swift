import CLibcurl
import Conversions
import Dispatch
import Synchronization

/// A bounded number of transfers at once over kept connections, first come, first served: one libcurl multi handle, which
/// one thread drives while there is something to drive.
@safe final class CurlMulti: Sendable {
  private struct State {
    var submitted: [CurlTransfer] = []
    var isDriven = false
    /// Whether whoever drives was woken and has not looked yet.
    var isWoken = false
    /// Whether a transfer is to end that has not been looked for yet.
    var hasCancelled = false
  }

  private static let isGloballyReady: Bool = conversiond_curl_global_init() == CURLE_OK

  private let transfersMax: Int
  private let isOfAll: @Sendable (Result<HTTPAnswer, TransportFailure>) -> Bool
  private let options: HTTPOptions
  private nonisolated(unsafe) let headers: (read: HeaderList, write: HeaderList)
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "conversiond.http")
  // The bell may be rung from any thread; everything else is the queue's alone.
  private nonisolated(unsafe) let multi: UnsafeMutableRawPointer?
  private nonisolated(unsafe) let watch: CurlWatch?
  /// By the number of the easy handle.
  private nonisolated(unsafe) var running: [Int: (handle: CurlHandle, transfer: CurlTransfer)] = [:]
  private nonisolated(unsafe) var idle: [CurlHandle] = []

  /// For at most so many transfers at once, on as many connections, each opened when it is first needed. After a result
  /// of which `isOfAll` is true, nothing is begun that was submitted before it.
  init(
    _ options: HTTPOptions, transfersMax: Int,
    withdrawsAfter isOfAll: @escaping @Sendable (Result<HTTPAnswer, TransportFailure>) -> Bool = { _ in false }
  ) {
    (self.options, self.isOfAll) = (options, isOfAll)
    self.transfersMax = max(1, transfersMax)
    unsafe headers = (HeaderList(options, hasBody: false), HeaderList(options, hasBody: true))
    unsafe multi = Self.isGloballyReady ? curl_multi_init() : nil
    unsafe watch = multi.map { unsafe CurlWatch($0) }
    if let multi = unsafe multi {
      _ = unsafe conversiond_curl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, self.transfersMax)
    }
  }

  deinit {
    // In this order: https://curl.se/libcurl/c/curl_multi_cleanup.html. Nothing runs: a drive keeps this alive.
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
        // Either the handler below finds it, or the cancellation is seen here.
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

  /// Ends what was not begun yet; of none of it has a byte left.
  private func withdrawWaiting() {
    let waiting = state.withLock { state in
      defer { state.submitted = [] }
      return state.submitted
    }
    for transfer in waiting {
      transfer.end(.failure(Self.withdrawal))
    }
  }

  /// What came of what was made ready and not sent.
  private static let withdrawal = TransportFailure(
    kind: .withdrawn, message: "not sent: the API would not have it of another", mayHaveBeenDone: false)

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
      // What is asked for from now on wakes again.
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
    // What ends makes room for what was submitted.
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

  /// Begins what was submitted, as far as there is room.
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

  /// Tells how transfers ended; whether there were any.
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

  /// Ends what was cancelled, whether it was begun or not.
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
    if isOfAll(result) { withdrawWaiting() }
    transfer.end(result)
  }

  private func putBack(_ handle: CurlHandle) {
    handle.clear()
    unsafe idle.append(handle)
  }
}
