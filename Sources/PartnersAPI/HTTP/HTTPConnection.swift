import Conversions

/// One connection to the API, kept alive from request to request: an actor on a thread of its own, as its calls block.
actor HTTPConnection {
  private let executor = BlockingExecutor(label: "conversiond.http")
  private let options: HTTPOptions
  private var session: CurlSession?

  /// Runs on the connection's own queue.
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

  /// A connection that is made with the first request.
  init(_ options: HTTPOptions) { self.options = options }

  /// Sends a request and waits for the whole answer. Cancelling the task ends the transfer at once.
  func send(_ request: HTTPRequest) async -> Result<HTTPAnswer, TransportFailure> {
    guard let session = session ?? CurlSession() else {
      return .failure(
        TransportFailure(kind: .connection, message: "libcurl could not start", mayHaveBeenDone: false))
    }
    self.session = session
    let cancellation = session.cancellation()
    let options = options
    return await withTaskCancellationHandler {
      session.perform(request, options, cancellation)
    } onCancel: {
      cancellation.cancel()
    }
  }
}
