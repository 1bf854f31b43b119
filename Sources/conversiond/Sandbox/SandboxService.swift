import Foundation
import Logging
import PartnersSandbox
import ServiceLifecycle

/// The sandbox as a service: prints a line for each request until it is told to stop.
struct SandboxService: Service {
  let sandbox: PartnersSandbox
  let requests: AsyncStream<SandboxRequestRecord>

  func run() async throws {
    await cancelWhenGracefulShutdown {
      for await record in requests { StandardStreams.write(record.line + "\n") }
    }
    await sandbox.stop()
  }
}

extension SandboxCommand {
  func seedReferrals() throws -> SandboxSeed? {
    guard let seed else { return nil }
    do {
      return try SandboxSeed(file: seed)
    } catch {
      throw CommandFailure(.configuration, "the seed can't be used: \(error)")
    }
  }

  func shape(_ count: Int) -> SandboxRateLimit.Shape {
    switch window {
    case .fixed: .fixed
    case .sliding: .sliding
    case .counter: .slidingCounter
    case .token: .tokenBucket(capacity: count)
    case .token1: .tokenBucket(capacity: 1)
    }
  }
}

extension Logger {
  /// A logger that writes nothing, for code that prints by other means.
  static var silent: Logger { Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() } }
}
