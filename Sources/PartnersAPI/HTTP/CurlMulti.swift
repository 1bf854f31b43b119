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
  }

  private static let isGloballyReady: Bool = conversiond_curl_global_init() == CURLE_OK

  private let options: HTTPOptions
  private let transfersMax: Int
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "conversiond.http")
  // curl_multi_wakeup(3) may be called from any thread; everything else is the queue's alone.
  private nonisolated(unsafe) let multi: UnsafeMutableRawPointer?
  /// By the number of the easy handle.
  private nonisolated(unsafe) var running: [Int: (handle: CurlHandle, transfer: CurlTransfer)] = [:]
  private nonisolated(unsafe) var idle: [CurlHandle] = []

  /// For at most so many transfers at once, on as many connections, each opened when it is first needed.
  init(_ options: HTTPOptions, transfersMax: Int) {
    self.options = options
    self.transfersMax = max(1, transfersMax)
    unsafe multi = Self.isGloballyReady ? curl_multi_init() : nil
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
        let transfer = CurlTransfer(request, options) { continuation.resume(returning: $0) }
        current.withLock { $0 = transfer }
        // Either the handler below finds it, or the cancellation is seen here.
        if Task.isCancelled { transfer.cancel() }
        submit(transfer)
      }
    } onCancel: {
      guard let transfer = current.withLock({ $0 }) else { return }
      transfer.cancel()
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
    guard isFirst else { return }
    if let multi = unsafe multi { _ = unsafe curl_multi_wakeup(multi) }
  }

  /// Drives transfers until there are none.
  private func drive() {
    repeat {
      // What is asked for from now on wakes again.
      state.withLock { $0.isWoken = false }
      endCancelled()
      begin()
      var count: Int32 = 0
      if let multi = unsafe multi, unsafe !running.isEmpty {
        guard unsafe curl_multi_perform(multi, &count) == CURLM_OK else {
          endAll(CURLE_OUT_OF_MEMORY)
          continue
        }
        unsafe endFinished(multi)
        // Returns sooner for anything that happens, libcurl's own deadlines and the wake-up included.
        if unsafe !running.isEmpty, unsafe curl_multi_poll(multi, nil, 0, 1000, nil) != CURLM_OK {
          endAll(CURLE_OUT_OF_MEMORY)
        }
      }
    } while !isDone
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
      guard let multi = unsafe multi, let handle = unsafe idle.popLast() ?? CurlHandle() else {
        transfer.end(
          .failure(TransportFailure(kind: .connection, message: "libcurl could not start", mayHaveBeenDone: false)))
        continue
      }
      if let refusal = handle.configure(transfer) {
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

  private func endFinished(_ multi: UnsafeMutableRawPointer) {
    var left: Int32 = 0
    while let message = unsafe curl_multi_info_read(multi, &left) {
      guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle else { continue }
      let code = unsafe message.pointee.data.result
      if let (handle, transfer) = unsafe running[Int(bitPattern: easy)] {
        end(handle, transfer, handle.result(code, transfer))
      }
    }
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
    transfer.end(result)
  }

  private func putBack(_ handle: CurlHandle) {
    handle.reset()
    unsafe idle.append(handle)
  }
}
