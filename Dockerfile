# cpu: walks, evaluates and plans, without PyTorch.
# cuda: trains as well; on a machine without a GPU it trains on the CPU.
#   docker build --target cpu --tag humanoid_locomotion:cpu .
FROM python:3.12-slim AS cpu
RUN apt-get update && apt-get install --no-install-recommends --yes git libegl1 libgl1 make \
    && rm -rf /var/lib/apt/lists/*
ENV MUJOCO_GL=egl PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /opt/humanoid_locomotion
COPY requirements requirements
RUN pip install --no-deps --require-hashes -r requirements/locked/walk.txt \
    -r requirements/locked/viewer.txt -r requirements/locked/ros.txt
COPY . .
RUN pip install --no-deps --editable .
ENTRYPOINT ["humanoid-locomotion"]
CMD ["--help"]

# PyTorch brings the libraries of CUDA; the host needs NVIDIA's driver and container toolkit.
FROM cpu AS cuda
ENV NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility
RUN pip install "$(grep '^torch==' requirements/test.txt)" \
    && pip install --no-deps --require-hashes -r requirements/locked/test.txt
