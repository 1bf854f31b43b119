import CLibcurl
import Synchronization

/// Ends a transfer from outside of the thread that drives it.
@safe final class TransferCancellation: Sendable {
  private let isRequested = Atomic(false)
  // curl_multi_wakeup(3) is the one function that may be called from any thread; the connection that owns the handle
  // outlives each of its transfers.
  private nonisolated(unsafe) let multi: UnsafeMutableRawPointer

  /// For a transfer that this multi handle drives.
  init(multi: UnsafeMutableRawPointer) { unsafe self.multi = multi }

  /// Whether the transfer is to end.
  var isCancelled: Bool { isRequested.load(ordering: .acquiring) }

  /// Asks the transfer to end now.
  func cancel() {
    isRequested.store(true, ordering: .releasing)
    _ = unsafe curl_multi_wakeup(multi)
  }
}
