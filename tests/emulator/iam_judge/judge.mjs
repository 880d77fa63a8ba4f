// Answers questions about IAM policies: one JSON question a line on standard input, one JSON answer a line on standard
// output. It holds no logic of its own: who may do what is for iam-simulate to say, and what that can't say is an
// error, never an answer.

import { createInterface } from 'node:readline'
import { getDenialReasons, runSimulation } from '@cloud-copilot/iam-simulate'

const named = (policy, name) => (policy ? [{ name, policy }] : undefined)

async function decide(question) {
  const simulated = await runSimulation(
    {
      request: {
        principal: question.principal,
        action: question.action,
        resource: { resource: question.resource, accountId: question.resourceAccount },
        contextVariables: question.context
      },
      identityPolicies: Object.entries(question.identityPolicies).map(([name, policy]) => ({ name, policy })),
      sessionPolicy: question.sessionPolicy ?? undefined,
      permissionBoundaryPolicies: named(question.permissionsBoundary, 'permissions boundary'),
      resourcePolicy: question.resourcePolicy ?? undefined,
      serviceControlPolicies: [],
      resourceControlPolicies: []
    },
    { simulationMode: 'Strict' }
  )
  if (simulated.resultType === 'error') {
    throw new Error(JSON.stringify(simulated.errors))
  }
  // A resource with a wildcard is decided once for each pattern of the policies that meets it.
  const decided = simulated.resultType === 'single' ? [simulated.result] : simulated.results
  return {
    result: simulated.overallResult,
    reasons: decided.flatMap(({ analysis }) => getDenialReasons(analysis)),
    sessionPolicy: decided.map(({ analysis }) => analysis.sessionAnalysis?.result).find((each) => each !== 'Allowed') ?? null,
    ignoredContextKeys: decided.flatMap(({ ignoredContextKeys }) => ignoredContextKeys ?? [])
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  let id = null
  try {
    const question = JSON.parse(line)
    id = question.id
    answer = await decide(question)
  } catch (error) {
    answer = { error: error.message || String(error) }
  }
  process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`)
}
