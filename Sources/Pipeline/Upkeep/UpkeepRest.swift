import Conversions

extension PipelineContext {
  /// The least rest between two batches of upkeep.
  static let upkeepRestMin = Duration.milliseconds(20)

  /// Rests nine times as long as a batch of upkeep took that began at an uptime: live work goes first.
  ///
  /// - Throws: `CancellationError`.
  func restFromUpkeep(since began: Duration) async throws {
    try await clock.sleep(for: max((clock.uptime - began) * 9, Self.upkeepRestMin))
  }
}
