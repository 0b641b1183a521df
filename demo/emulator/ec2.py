"""EC2: moto has what Muster asks; its pages of DescribeInstances get as short as the fault switch `page_max` says."""

from moto.ec2.responses.instances import InstanceResponse

from demo.emulator import Options
from demo.emulator.faults import FAULTS


def install(_options: Options) -> None:
    moto_describe_instances = InstanceResponse.describe_instances

    def describe_instances(self):
        if FAULTS.page_max:
            asked = self._get_param
            self._get_param = lambda name, if_none=None: (
                FAULTS.page_max if name == "MaxResults" else asked(name, if_none)
            )
        return moto_describe_instances(self)

    InstanceResponse.describe_instances = describe_instances
