/// The durations of calls that must not wait.
struct CallTimes {
  private var times: [Duration] = []

  mutating func measure(_ call: () -> Void) { times.append(ContinuousClock().measure(call)) }

  /// The duration that 99 of 100 calls stayed below; one in a hundred may meet a busy machine.
  var percentile99: Duration { times.isEmpty ? .zero : times.sorted()[times.count * 99 / 100] }

  var total: Duration { times.reduce(.zero, +) }
}
