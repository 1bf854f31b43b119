import Foundation
import Synchronization
import Testing

/// Many days of many partners, each from a seed: `SIMULATION_SEEDS` says how many, `SIMULATION_SEED` which one alone,
/// with all that the daemon says in it.
///
/// A seed comes to the same on each run of the same program with `SWIFT_DETERMINISTIC_HASHING=1`, as what sets and
/// dictionaries are walked by is drawn anew for each process otherwise.
@Suite(.serialized) struct SimulationTests {
  private static func number(_ name: String, _ otherwise: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? otherwise
  }

  private static let count = number("SIMULATION_SEEDS", 100)
  private static let first = number("SIMULATION_FIRST", 1)
  private static let only = number("SIMULATION_SEED", 0)
  /// As many as there are cores, mostly.
  private static let tasks = 2

  @Test func noSeedBreaksARule() async throws {
    guard Self.only == 0 else { return try tell(UInt64(Self.only)) }
    let began = ContinuousClock.now
    let broken = BrokenRules()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<Self.tasks {
        group.addTask {
          for seed in stride(from: Self.first + task, to: Self.first + Self.count, by: Self.tasks) {
            guard broken.count < 10 else { return }
            do { _ = try Simulation(seed: UInt64(seed)).play() } catch {
              broken.add()
              print("simulation: seed \(seed): \(error)")
            }
          }
        }
      }
    }
    let count = broken.count
    print("simulation: \(Self.count) seeds from \(Self.first) in \(ContinuousClock.now - began), \(count) broke a rule")
    #expect(count == 0)
  }

  private func tell(_ seed: UInt64) throws {
    let simulation = try Simulation(seed: seed)
    defer { print(simulation.story.joined(separator: "\n")) }
    let digest = try simulation.play()
    print("simulation: seed \(seed) came to \(String(digest, radix: 16))")
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] != nil))
  func aSeedComesToTheSameEachTime() throws {
    for seed in [UInt64(1), 2, 3, 4, 5] {
      #expect(try Simulation(seed: seed).play() == Simulation(seed: seed).play(), "seed \(seed)")
    }
  }

  /// The simulation sees the absence of each rule that it is there to prove.
  @Test(arguments: Simulation.Rule.allCases)
  func withoutARuleSeedsBreak(rule: Simulation.Rule) throws {
    for seed in 1...Self.number("SIMULATION_PROOF_SEEDS", 300) {
      do { _ = try Simulation(seed: UInt64(seed), without: rule).play() } catch {
        print("simulation: without \(rule), seed \(seed) breaks: \("\(error)".prefix(200))")
        return
      }
    }
    Issue.record("no seed has found that \(rule) is missing")
  }
}

/// The number of seeds that broke a rule.
private final class BrokenRules: Sendable {
  private let found = Mutex(0)
  var count: Int { found.withLock { $0 } }
  func add() { found.withLock { $0 += 1 } }
}
