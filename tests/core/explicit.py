"""What the fast paths never form, by automatic differentiation: the reference of the tests."""

import torch


def output_jacobian(model, inputs):
    """Jacobian of the outputs, (n, outputs, P), ordered as `model.parameters()`."""

    def one(parameters, x):
        return torch.func.functional_call(model, parameters, (x[None],)).squeeze(0)

    parameters = {name: p.detach() for name, p in model.named_parameters()}
    leaves = torch.func.vmap(torch.func.jacrev(one), in_dims=(None, 0))(parameters, inputs)
    lead = next(iter(leaves.values())).shape[:2]
    return torch.cat([leaf.reshape(*lead, -1) for leaf in leaves.values()], dim=-1)
